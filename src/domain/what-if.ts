import { type Digest, digestOf, isDigest, shortDigest } from './digest.ts';
import { FactoryError } from './errors.ts';
import type { FleetFacts, Upstream } from './facts.ts';
import type { Image } from './fleet/model.ts';
import { nearestOf } from './fleet/nearest.ts';
import type { Platform } from './platform.ts';
import { explainReason, nameOf } from './reasons.ts';
import { familiarReference, formatReference, parseReference, type Reference, repositoryOf } from './reference.ts';
import type { Reason } from './staleness.ts';
import { fits } from './track.ts';
import { familiarName, isTracked, parseUpstream, type UpstreamSource, upstreamName } from './upstream.ts';

/** An upstream that is supposed to have moved. */
export interface Supposed {
  /** Full reference: `docker.io/library/debian:12`. */
  readonly name: string;
  /** Absent: any other digest than now. */
  readonly digest?: Digest;
  /** The tag that is supposed to be the highest of those that are tracked. */
  readonly tag?: string;
}

/**
 * `debian:12-slim` or `debian:12-slim=sha256:…` as a person writes it. Of tracked tags `node` means all that are
 * tracked of it, and `node:22.11.0-slim` those that this tag fits.
 * @throws FactoryError `usage` when it is no reference or digest, or no image of the fleet uses it
 */
export function parseSupposed(text: string, images: readonly Image[]): readonly Supposed[] {
  const trackedName = (words: string) =>
    upstreamNames(images).find((name) => isTracked(name) && [name, familiarName(name)].includes(words));
  const whole = trackedName(text);
  if (whole !== undefined) return [{ name: whole }];
  const at = text.lastIndexOf('=');
  const written = at === -1 ? text : text.slice(0, at);
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) {
    throw usage(`"${digest}" is no digest; write ${written}=sha256:… with 64 hex digits, or ${written} alone`);
  }
  const to = digest === undefined ? {} : { digest };
  const label = trackedName(written);
  if (label !== undefined) return [{ name: label, ...to }];
  const reference = parseReference(written);
  const [name, names] = [formatReference(reference), upstreamNames(images)];
  const found = [...(names.includes(name) ? [{ name }] : []), ...supposedTags(reference, images)];
  if (found.length === 0) throw unused(written, reference, images);
  return found.map((each) => ({ ...each, ...to }));
}

function supposedTags(reference: Reference, images: readonly Image[]): Supposed[] {
  const sources = images.flatMap((image) => image.inputs.flatMap(upstreamOf));
  const tracked = new Map(sources.map((source) => [upstreamName(source), source]));
  return [...tracked].flatMap(([name, { upstream, track }]) => {
    if (track === undefined || repositoryOf(upstream) !== repositoryOf(reference)) return [];
    const { tag } = reference;
    if (tag === undefined) return [{ name }];
    return fits(tag, track) ? [{ name, tag }] : [];
  });
}

/** The upstreams that a fleet is built from, sorted. */
export function upstreamNames(images: readonly Image[]): string[] {
  const names = images.flatMap((image) => image.inputs.flatMap(upstreamOf).map(upstreamName));
  return [...new Set(names)].sort();
}

function upstreamOf({ source }: Image['inputs'][number]): UpstreamSource[] {
  return 'upstream' in source ? [source] : [];
}

function unused(written: string, reference: Reference, images: readonly Image[]): FactoryError<'usage'> {
  if (images.some(({ name }) => name === written || `golden/${name}` === written)) {
    return usage(`${written} is a golden image, not an upstream; "--image ${written}" shows what hangs on it`);
  }
  const names = upstreamNames(images);
  const upstreams = names.map(parseUpstream);
  const known = names.map(familiarName);
  const sameRepository = upstreams.find((upstream) => repositoryOf(upstream) === repositoryOf(reference));
  const nearest =
    nearestOf(familiarReference(reference), known) ?? (sameRepository && familiarReference(sameRepository));
  const hint = nearest === undefined ? `the fleet uses ${known.slice(0, 8).join(', ')}` : `did you mean "${nearest}"?`;
  return usage(`no image is built from ${written}; ${hint}`);
}

function usage(message: string): FactoryError<'usage'> {
  return new FactoryError(message, { code: 'usage' });
}

/** What a reference would point to that nobody has seen yet: as many platforms as now, all with other content. */
export function inventUpstream({ name, digest, tag: supposed }: Supposed, facts: FleetFacts): Upstream {
  const current = facts.upstreams.get(name);
  const now = current?.state === 'known' ? current.value : undefined;
  const platforms =
    now === undefined ? wantedPlatforms(name, facts.images) : (Object.keys(now.platforms) as Platform[]);
  const to = digest ?? digestOf(`supposed content of ${name} after ${now?.digest}`);
  const tag = supposed ?? now?.tag;
  return {
    digest: to,
    ...(tag !== undefined && { tag }),
    platforms: Object.fromEntries(platforms.map((platform) => [platform, digestOf(`${to} for ${platform}`)])),
  };
}

/** Every platform that an image wants of an upstream. */
export function wantedPlatforms(name: string, images: readonly Image[]): Platform[] {
  const users = images.filter((image) => image.inputs.flatMap(upstreamOf).map(upstreamName).includes(name));
  return [...new Set(users.flatMap((image) => image.platforms))];
}

/** The same facts, but for where the upstreams point. */
export function supposeMoved(facts: FleetFacts, moved: ReadonlyMap<string, Upstream>): FleetFacts {
  const upstreams = new Map(facts.upstreams);
  for (const [name, value] of moved) upstreams.set(name, { state: 'known', value });
  return { ...facts, upstreams };
}

/** The images that use one of the upstreams, and all that are built on those. Images come parents first. */
export function reachOf(names: ReadonlySet<string>, images: readonly Image[]): ReadonlySet<string> {
  const reached = new Set<string>();
  for (const image of images) {
    const isReached = image.inputs.some(({ source }) =>
      'golden' in source ? reached.has(source.golden) : names.has(upstreamName(source)),
    );
    if (isReached) reached.add(image.name);
  }
  return reached;
}

/** A reason in words, without digests that nobody will ever see. */
export function explainAhead(reason: Reason, invented: ReadonlySet<Digest>): string {
  const isMove = reason.kind === 'base-changed' || reason.kind === 'input-changed';
  if (!isMove || !invented.has(reason.to)) return explainReason(reason);
  const name = nameOf(reason.name);
  const from = reason.from === undefined ? '' : ` from ${shortDigest(reason.from)}`;
  const target = reason.version ?? reason.tags?.to;
  const to = target === undefined ? '' : ` to ${target}`;
  return `its ${reason.kind === 'base-changed' ? 'base' : 'input'} ${name} would move${to === '' ? from : to}`;
}
