import type { FleetFacts, Upstream } from './facts.ts';
import type { Image, ImageInput } from './fleet/model.ts';
import { epochOf, type ResolvedInput } from './inputs.ts';
import type { Platform } from './platform.ts';
import type { Hold, Release } from './staleness.ts';
import { isBelow } from './track.ts';
import { type UpstreamSource, upstreamName } from './upstream.ts';

/** What an input of an image is now: the content to build from, or why that is not known or has to wait. */
export interface FoundInput {
  readonly resolved?: ResolvedInput;
  readonly hold?: Hold;
  readonly unknown?: string;
  /** What could not be asked, so that the last that is known stands in. */
  readonly doubt?: string;
}

/** What is known of a golden image when its children are planned. */
export type EntryLookup = (name: string) => {
  readonly release?: Release;
  readonly waits?: string;
  readonly unknown?: string;
  readonly doubt?: string;
};

export interface InputContext {
  readonly image: Image;
  readonly facts: FleetFacts;
  /** Of the image itself. */
  readonly release: Release | undefined;
  readonly lookup: EntryLookup;
}

export function findInput(input: ImageInput, context: InputContext): FoundInput {
  if ('golden' in input.source) return findGolden(input, input.source.golden, context);
  const { image, facts } = context;
  const name = upstreamName(input.source);
  const upstream = facts.upstreams.get(name) ?? { state: 'unknown', why: `${name} was not asked about` };
  const before = lastKnown(name, context);
  if (upstream.state === 'known') {
    const resolved = toResolved(input, name, upstream.value);
    const withdrawn = withdrawal(input.source, before, resolved, image);
    return withdrawn === undefined ? complete(image, resolved, upstream.value, facts) : { hold: withdrawn };
  }
  const why = upstream.why ?? `${name} does not exist in its registry`;
  return before === undefined ? { unknown: why } : { resolved: { ...before, role: input.role }, doubt: why };
}

/** What the release in use was made from: in our mirror, also while upstream cannot be asked. */
function lastKnown(name: string, { image, release }: InputContext): ResolvedInput | undefined {
  const before = release?.inputs?.inputs.find((input) => input.name === name);
  const isWhole = before !== undefined && image.platforms.every((platform) => before.platforms[platform]);
  return isWhole ? before : undefined;
}

/** A tag that is gone upstream was perhaps bad, perhaps deleted by mistake: going back is for people to decide. */
function withdrawal(
  { track }: UpstreamSource,
  before: ResolvedInput | undefined,
  now: ResolvedInput,
  { platforms }: Image,
): Hold | undefined {
  if (track === undefined || before?.tag === undefined || now.tag === undefined) return undefined;
  if (!isBelow(now.tag, before.tag, track)) return undefined;
  if (platforms.every((platform) => before.platforms[platform] === now.platforms[platform])) return undefined;
  return { kind: 'tag-withdrawn', name: now.name, from: before.tag, to: now.tag };
}

function toResolved({ role }: ImageInput, name: string, upstream: Upstream): ResolvedInput {
  const { digest, platforms, created, tag } = upstream;
  return { role, name, digest, platforms, ...(created && { created }), ...(tag && { tag }) };
}

function findGolden(input: ImageInput, parent: string, { image, facts, lookup }: InputContext): FoundInput {
  const { release, waits, unknown, doubt } = lookup(parent);
  if (unknown !== undefined) return { unknown };
  if (release === undefined) return { hold: { kind: 'waiting-for-parent', parent, why: waits ?? 'it has no release' } };
  const { digest, platforms, version, inputs } = release;
  const bad = facts.standing?.get(parent)?.quarantined.find((each) => each.digest === digest);
  const name = `golden/${parent}`;
  if (bad !== undefined) return { hold: { kind: 'quarantined-input', name, digest, why: bad.why } };
  const created = new Date(epochOf(inputs!) * 1000).toISOString();
  const found = complete(image, { role: input.role, name, digest, platforms, version, created });
  return doubt === undefined ? found : { ...found, doubt };
}

/** All-arch barrier: an input that lacks a platform, or whose platforms are not all from the same push, is waited for. */
function complete(image: Image, resolved: ResolvedInput, upstream?: Upstream, facts?: FleetFacts): FoundInput {
  const missing = image.platforms.filter((platform) => resolved.platforms[platform] === undefined);
  const late = missing.length > 0 || facts === undefined ? missing : latePlatforms(image, upstream, facts);
  if (late.length === 0) return { resolved };
  return { hold: { kind: 'waiting-for-platform', name: resolved.name, platforms: late } };
}

/** Platforms of a new base that upstream built long before the others; waited for no longer than `maxWait`. */
function latePlatforms(image: Image, upstream: Upstream | undefined, { rebuild, now }: FleetFacts): Platform[] {
  const { firstSeenAt, platformsCreated } = upstream ?? {};
  if (rebuild?.platformSkewSeconds === undefined || platformsCreated === undefined) return [];
  if (now === undefined || firstSeenAt === undefined) return [];
  if (Date.parse(now) >= Date.parse(firstSeenAt) + rebuild.maxWaitSeconds * 1000) return [];
  const times = image.platforms.map((platform) => Date.parse(platformsCreated[platform] ?? ''));
  const newest = Math.max(...times.filter((time) => Number.isFinite(time)));
  const limit = rebuild.platformSkewSeconds * 1000;
  return image.platforms.filter((_, index) => newest - times[index]! > limit);
}
