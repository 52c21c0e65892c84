import { type Digest, digestOf } from './digest.ts';
import type { FleetFacts, Upstream } from './facts.ts';
import type { Image } from './fleet/model.ts';
import type { FreshnessSample, PlatformTimes } from './freshness.ts';
import type { PlanEntry } from './plan.ts';
import type { Platform } from './platform.ts';
import { explainHold } from './reasons.ts';
import type { Run } from './run.ts';
import type { Time } from './service/views.ts';
import type { FixableFinding, Release } from './staleness.ts';
import { upstreamName } from './upstream.ts';

export interface TrackFacts {
  readonly facts: FleetFacts;
  readonly entries: readonly PlanEntry[];
  /** Samples that are not released yet. */
  readonly open: readonly FreshnessSample[];
  readonly now: Time;
}

export interface Tracked {
  /** New samples, and what is new of open ones. */
  readonly noted: readonly FreshnessSample[];
  /** Open samples whose change is not missing any more: in the release in use, or gone. */
  readonly over: readonly FreshnessSample[];
}

/** A change that an image lacks. */
type Change = Pick<FreshnessSample, 'kind' | 'upstream' | 'digest' | 'tag' | 'findings' | 'fixed'> &
  Pick<FreshnessSample, 'changedAt' | 'detectedAt' | 'detectedBy' | 'platforms'>;

/**
 * What a look at the fleet says of changes on their way. Level-triggered as the plan is: a change is noted for as long
 * as the release in use lacks it, and over when it does not, so that it does no harm to look twice, or too late.
 */
export function trackFreshness({ facts, entries, open, now }: TrackFacts): Tracked {
  const missing = new Map<string, readonly Change[]>();
  for (const image of facts.images) missing.set(image.name, changesOf(image, facts, { missing, now }));
  const held = new Map(entries.map((entry) => [entry.image, holdsOf(entry, now)]));
  const noted = facts.images.flatMap(({ name }) =>
    missing.get(name)!.flatMap((change) => note({ image: name, change, held: held.get(name) }, facts, open)),
  );
  return { noted, over: open.filter((sample) => isOver(sample, facts, { missing, open })) };
}

interface Missing {
  readonly missing: ReadonlyMap<string, readonly Change[]>;
}

/** Its own upstreams and fixes, and what its parents lack: children get it with their next release. */
function changesOf(image: Image, facts: FleetFacts, { missing, now }: Missing & { readonly now: Time }): Change[] {
  const release = releaseOf(image.name, facts);
  if (release === undefined) return [];
  const all = image.inputs.flatMap(({ source }): readonly Change[] => {
    if ('golden' in source) return (missing.get(source.golden) ?? []).filter(({ kind }) => kind === 'upstream');
    const name = upstreamName(source);
    const upstream = facts.upstreams.get(name);
    return upstream?.state === 'known' ? moved(name, upstream.value, { image, release, now }) : [];
  });
  const fixes = fixesOf(facts.fixable?.get(image.name) ?? [], { release, now });
  const unique = new Map([...all, ...fixes].map((change) => [`${change.kind} ${change.upstream}`, change]));
  return [...unique.values()];
}

interface Situation {
  readonly image: Image;
  readonly release: Release;
  readonly now: Time;
}

function moved(name: string, upstream: Upstream, { image, release, now }: Situation): Change[] {
  const platforms = differing(name, upstream, { image, release });
  if (platforms.length === 0) return [];
  const { digest, tag, detectedAt = now, detectedBy, platformsCreated = {} } = upstream;
  const created = platforms.map((platform): [Platform, PlatformTimes] => {
    const createdAt = platformsCreated[platform];
    return [platform, createdAt === undefined ? {} : { createdAt }];
  });
  return [
    {
      ...{ kind: 'upstream', upstream: name, digest, detectedAt },
      changedAt: changedAt(upstream, release, detectedAt),
      platforms: Object.fromEntries(created),
      ...(tag && { tag }),
      ...(detectedBy && { detectedBy }),
    },
  ];
}

/** Without a look before it, upstream's own time has to do; one before the release says nothing of when the tag moved. */
function changedAt({ changedAt: known, created }: Upstream, release: Release, detectedAt: Time): Time {
  const time = Date.parse(known ?? created ?? detectedAt);
  const from = Date.parse(release.created ?? '');
  const isSensible = time <= Date.parse(detectedAt) && !(time < from);
  return isSensible ? new Date(time).toISOString() : detectedAt;
}

/** Platforms of which the release has other content than the upstream has now. */
function differing(name: string, upstream: Upstream, { image, release }: Pick<Situation, 'image' | 'release'>) {
  const before = release.inputs?.inputs.find((input) => input.name === name);
  if (before === undefined) return [];
  return image.platforms.filter((platform) => before.platforms[platform] !== upstream.platforms[platform]);
}

/** One for each source package in which a critical or exploited vulnerability can be fixed. */
function fixesOf(found: readonly FixableFinding[], { release, now }: Pick<Situation, 'release' | 'now'>): Change[] {
  const urgent = found.filter(({ severity, exploited }) => severity === 'critical' || exploited);
  return [...Map.groupBy(urgent, ({ source }) => source).values()].map((group) => {
    const { source, fixed } = group[0]!;
    // A fix from before the release is one that its database did not know yet
    const times = group.flatMap(({ since }) => (since === undefined ? [] : [Date.parse(since)]));
    const sensible = times.filter((time) => time <= Date.parse(now) && !(time < Date.parse(release.created ?? '')));
    const changed = sensible.length === 0 ? now : new Date(Math.min(...sensible)).toISOString();
    const findings = group.map(({ id }) => id).sort();
    return { kind: 'fix', upstream: source, fixed, findings, changedAt: changed, detectedAt: now };
  });
}

function holdsOf({ holds }: PlanEntry, at: Time): FreshnessSample['holds'] {
  return Object.fromEntries(holds.map((hold) => [hold.kind, { at, why: explainHold(hold) }]));
}

interface Noted {
  readonly image: string;
  readonly change: Change;
  readonly held: FreshnessSample['holds'];
}

/** The whole sample, where something of it is new. */
function note({ image, change, held = {} }: Noted, facts: FleetFacts, open: readonly FreshnessSample[]) {
  const before = open.find((sample) => sample.image === image && isSame(sample, change));
  const isKnown = before !== undefined && Object.keys(held).every((kind) => before.holds?.[kind] !== undefined);
  if (isKnown) return [];
  const id = before?.id ?? idOf(image, change, releaseOf(image, facts)!.digest);
  const holds = Object.keys(held).length > 0 ? { holds: held } : {};
  return [{ id, image, ...(before === undefined ? change : immutable(before)), ...holds } as FreshnessSample];
}

function immutable({ kind, upstream, digest, changedAt: changed, detectedAt }: FreshnessSample) {
  return { kind, upstream, ...(digest && { digest }), changedAt: changed, detectedAt };
}

/** An archive may have a still newer version before the fix is released: it is the same fix all the same. */
function isSame(a: Pick<Change, 'kind' | 'upstream' | 'digest'>, b: typeof a): boolean {
  return a.kind === b.kind && a.upstream === b.upstream && a.digest === b.digest;
}

/** An upstream may go back to what it was: then it is another change, of another release. */
function idOf(image: string, { kind, upstream, digest }: Change, release: Digest): string {
  const hash = digestOf(JSON.stringify([kind, upstream, digest ?? '', release]));
  return `${image}|${hash.slice('sha256:'.length, 'sha256:'.length + 20)}`;
}

interface Others extends Missing {
  readonly open: readonly FreshnessSample[];
}

/** Whether the release in use lacks a change no more. What is not known ends nothing (promise 5). */
function isOver(sample: FreshnessSample, facts: FleetFacts, { missing, open }: Others): boolean {
  const image = facts.images.find(({ name }) => name === sample.image);
  if (image === undefined) return true;
  const release = releaseOf(image.name, facts);
  if (release === undefined) return false;
  if (sample.kind === 'fix') {
    const isKnown = facts.packages?.get(image.name)?.state === 'known';
    return isKnown && !missing.get(image.name)!.some((change) => isSame(change, sample));
  }
  return image.inputs.every(({ source }) => {
    if ('golden' in source) return hasParent(source.golden, sample, { release, facts, open });
    return upstreamName(source) !== sample.upstream || hasUpstream(sample, { image, release, facts, open });
  });
}

interface Having {
  readonly release: Release;
  readonly facts: FleetFacts;
  readonly open: readonly FreshnessSample[];
}

/** The release has it, or what came after it, or what upstream went back to. */
function hasUpstream(sample: FreshnessSample, { image, release, facts, open }: Having & { readonly image: Image }) {
  const used = release.inputs?.inputs.find(({ name }) => name === sample.upstream);
  if (used === undefined || used.digest === sample.digest) return used !== undefined;
  const now = facts.upstreams.get(sample.upstream);
  if (now?.state === 'known' && differing(sample.upstream, now.value, { image, release }).length === 0) return true;
  return isNewer(used.digest, sample, open);
}

/** Of an upstream that moved twice before a release, the release has the second. */
function isNewer(digest: Digest, sample: FreshnessSample, open: readonly FreshnessSample[]): boolean {
  return open.some(
    (other) =>
      other.image === sample.image &&
      other.upstream === sample.upstream &&
      other.digest === digest &&
      Date.parse(other.detectedAt) > Date.parse(sample.detectedAt),
  );
}

/** The parent has the change, and the image has the parent. */
function hasParent(parent: string, sample: FreshnessSample, { release, facts, open }: Having): boolean {
  if (open.some((other) => other.image === parent && isSame(other, sample))) return false;
  const used = release.inputs?.inputs.find(({ name }) => name === `golden/${parent}`);
  const now = releaseOf(parent, facts);
  return now !== undefined && (used === undefined || used.digest === now.digest);
}

function releaseOf(image: string, { releases }: FleetFacts): Release | undefined {
  const release = releases.get(image);
  return release?.state === 'known' ? release.value : undefined;
}

/** How a change ended: by the run that made the release in use, or found it equal. `undefined`: upstream took it back. */
export function endOf(
  sample: FreshnessSample,
  release: Release | undefined,
  runs: readonly Run[],
): FreshnessSample | undefined {
  if (release === undefined) return undefined;
  const { digest, version, created } = release;
  const run = runs.find(
    (each) =>
      (each.outcome === 'released' || each.outcome === 'unchanged') &&
      each.digest === digest &&
      Date.parse(each.startedAt) >= Date.parse(sample.detectedAt),
  );
  const about = { release: digest, version };
  if (run?.endedAt !== undefined) {
    const outcome = run.outcome as 'released' | 'unchanged';
    const platforms = withBuilds(sample.platforms ?? {}, run);
    return { ...sample, ...about, run: run.id, outcome, releasedAt: run.endedAt, ...platforms };
  }
  if (created === undefined || Date.parse(created) < Date.parse(sample.detectedAt)) return undefined;
  return { ...sample, ...about, outcome: 'released', releasedAt: new Date(created).toISOString() };
}

function withBuilds(platforms: NonNullable<FreshnessSample['platforms']>, { steps }: Run) {
  const built = Object.entries(platforms).map(([platform, times]) => {
    const step = steps.findLast(({ name, platform: of }) => name === 'build' && of === platform);
    return [platform, { ...times, ...(step?.endedAt && { builtAt: new Date(step.endedAt).toISOString() }) }] as const;
  });
  return built.length === 0 ? {} : { platforms: Object.fromEntries(built) };
}
