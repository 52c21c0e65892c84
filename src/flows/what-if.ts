import type { Digest } from '../domain/digest.ts';
import { type Estimate, estimate, learnDurations } from '../domain/estimate.ts';
import type { FleetFacts, Upstream } from '../domain/facts.ts';
import type { Image } from '../domain/fleet/model.ts';
import { parentsOf } from '../domain/graph.ts';
import type { PlanEntry } from '../domain/plan.ts';
import { atDigest, repositoryOf } from '../domain/reference.ts';
import { parseUpstream, upstreamReference } from '../domain/upstream.ts';
import { nextVersion } from '../domain/version.ts';
import { type Ahead, lookAhead, supposeContent } from '../domain/waves-ahead.ts';
import { inventUpstream, reachOf, type Supposed, supposeMoved, wantedPlatforms } from '../domain/what-if.ts';
import type { ForgeRepository } from '../forge/forge.ts';
import { resolveImage } from '../image/resolve.ts';
import type { PlanDeps } from './gather.ts';
import { identifyDigest } from './proposals.ts';
import { type PullPreview, previewPulls, type ReleaseAhead } from './pull-preview.ts';

export interface WhatIfDeps extends Pick<PlanDeps, 'fleet' | 'places' | 'registry' | 'sourceOf'> {
  readonly downstreams: readonly ForgeRepository[];
}

/** What would come of upstreams that move. */
export interface WhatIf {
  readonly upstreams: readonly {
    readonly name: string;
    readonly from?: Digest;
    /** Absent: any other digest. */
    readonly to?: Digest;
    /** Of tracked tags: the one that is supposed to be the highest. */
    readonly tag?: string;
  }[];
  readonly ahead: Ahead;
  /** Digests that were made up. */
  readonly invented: ReadonlySet<Digest>;
  /** The images that an upstream reaches, rebuilt or not. */
  readonly reach: ReadonlySet<string>;
  /** Of the images in reach that would be rebuilt; absent when no build was ever recorded. */
  readonly estimate?: Estimate;
  readonly pulls: readonly PullPreview[];
  /** What was taken for granted. */
  readonly notes: readonly string[];
}

/** Supposes that upstreams moved, plans again with what would be released, and looks at the downstreams. Only reads. */
export async function lookWhatIf(
  facts: FleetFacts,
  supposed: readonly Supposed[],
  deps: WhatIfDeps,
  signal: AbortSignal,
): Promise<WhatIf> {
  const moves = await Promise.all(supposed.map((each) => moveOf(each, facts, deps, signal)));
  const ahead = lookAhead(supposeMoved(facts, new Map(moves.map(({ name, upstream }) => [name, upstream]))));
  const reach = reachOf(new Set(supposed.map(({ name }) => name)), facts.images);
  const rebuilt = ahead.waves.flat().filter(({ image }) => reach.has(image));
  const runs = [...(facts.history?.values() ?? [])].flat();
  const guess = estimate(tasksOf(rebuilt, facts.images), learnDurations(runs));
  return {
    upstreams: moves.map(({ name, from, to, tag }) => ({
      name,
      ...(from && { from }),
      ...(to && { to }),
      ...(tag && { tag }),
    })),
    ahead,
    invented: new Set(moves.flatMap(({ to, upstream }) => (to === undefined ? [upstream.digest] : []))),
    reach,
    ...(guess && rebuilt.length > 0 && { estimate: guess }),
    pulls: await previewPulls(deps.downstreams, await releasesOf(rebuilt, deps, signal), signal),
    notes: moves.flatMap(({ note }) => note ?? []),
  };
}

interface Move {
  readonly name: string;
  readonly from?: Digest | undefined;
  readonly to?: Digest | undefined;
  readonly tag?: string | undefined;
  readonly upstream: Upstream;
  readonly note?: string;
}

/** A digest that is there is taken with the platforms that it has; of any other, as many as now are supposed. */
async function moveOf(each: Supposed, facts: FleetFacts, deps: WhatIfDeps, signal: AbortSignal): Promise<Move> {
  const { name, tag } = each;
  const current = facts.upstreams.get(name);
  const now = current?.state === 'known' ? current.value : undefined;
  const digest = each.digest ?? (await digestOfTag(each, deps, signal));
  const move = { name, from: now?.digest, to: digest, tag };
  if (digest === undefined) return { ...move, upstream: inventUpstream(each, facts) };
  const known = await readUpstream(name, digest, facts.images, deps, signal);
  const shown = tag ?? now?.tag;
  if (known !== undefined) return { ...move, upstream: { ...known, ...(shown !== undefined && { tag: shown }) } };
  const note = `${name}@${digest} could not be read: it is taken to have the platforms of today`;
  return { ...move, upstream: inventUpstream({ ...each, digest }, facts), note };
}

/** A tracked tag that is there already stands for what it points to. */
async function digestOfTag({ name, tag }: Supposed, { registry, sourceOf }: WhatIfDeps, signal: AbortSignal) {
  if (tag === undefined) return undefined;
  const head = registry.head(sourceOf(upstreamReference({ name, tag })), { signal }).catch((error) => {
    if (signal.aborted) throw error;
    return undefined;
  });
  return (await head)?.digest;
}

async function readUpstream(
  name: string,
  digest: Digest,
  images: readonly Image[],
  { registry, sourceOf }: WhatIfDeps,
  signal: AbortSignal,
): Promise<Upstream | undefined> {
  const source = atDigest(sourceOf(parseUpstream(name)), digest);
  const resolved = await resolveImage(registry, source, wantedPlatforms(name, images), { signal }).catch((error) => {
    if (signal.aborted) throw error;
    return undefined;
  });
  if (resolved === undefined) return undefined;
  const platforms = Object.entries(resolved.platforms).map(([platform, child]) => [platform, child!.digest] as const);
  return { digest, platforms: Object.fromEntries(platforms), ...(resolved.created && { created: resolved.created }) };
}

function tasksOf(rebuilt: readonly PlanEntry[], images: readonly Image[]) {
  const names = new Set(rebuilt.map(({ image }) => image));
  const tasks = images.filter(({ name }) => names.has(name));
  return tasks.map((image) => ({ image: image.name, parents: parentsOf(image), platforms: image.platforms }));
}

/** With the version that comes next in the registry; the digests are those that were supposed. */
async function releasesOf(rebuilt: readonly PlanEntry[], deps: WhatIfDeps, signal: AbortSignal) {
  if (deps.downstreams.length === 0) return [];
  const images = new Map(deps.fleet.images.map((image) => [image.name, image]));
  return Promise.all(rebuilt.map((entry) => toRelease(images.get(entry.image)!, entry, deps, signal)));
}

async function toRelease(
  image: Image,
  { inputs, reasons }: PlanEntry,
  { registry, places, fleet }: WhatIfDeps,
  signal: AbortSignal,
): Promise<ReleaseAhead> {
  const repository = places.release(image.name);
  return {
    image: image.name,
    repository: repositoryOf(repository),
    line: image.line,
    version: nextVersion(image.line, await registry.tags(repository, { signal }), reasons),
    ...supposeContent(image, inputs!),
    channels: fleet.settings.channels.map(({ name }) => name),
    identify: (digest) => identifyDigest(image, atDigest(repository, digest), registry, signal),
  };
}
