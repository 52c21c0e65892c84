import pLimit from 'p-limit';
import type { Digest } from '../domain/digest.ts';
import type { Known, Upstream } from '../domain/facts.ts';
import type { Fleet } from '../domain/fleet/model.ts';
import type { Platform } from '../domain/platform.ts';
import { formatReference, type Reference } from '../domain/reference.ts';
import { type UpstreamSource, upstreamName } from '../domain/upstream.ts';
import { resolveImage } from '../image/resolve.ts';
import type { Ledger, Observation } from '../ledger/ledger.ts';
import type { Registry } from '../registry/registry.ts';
import { messageOf } from './steps.ts';
import { createLocator, type Located } from './tracked.ts';

export interface WatchDeps {
  readonly registry: Registry;
  readonly ledger: Ledger;
  /** Where an upstream is read from: itself, or the company's own cache of it. */
  readonly sourceOf: (upstream: Reference) => Reference;
  /** RFC 3339. */
  readonly now: () => string;
}

/** Keeps answers of thousands of upstreams from being in memory at once. */
const WATCHED_AT_ONCE = 32;

/**
 * Asks each upstream of the fleet once: a HEAD, and a GET only for a digest that was not seen before. Where tags are
 * tracked, those of a repository are listed first, once for all that track it.
 * One that cannot be asked is `unknown` and holds up nothing but what depends on it.
 * @param only names of upstreams that somebody said had moved; absent: all
 */
export async function watchUpstreams(
  fleet: Fleet,
  deps: WatchDeps,
  signal: AbortSignal,
  { only }: { readonly only?: readonly string[] } = {},
): Promise<ReadonlyMap<string, Known<Upstream>>> {
  const all = upstreamsOf(fleet);
  const upstreams = only === undefined ? all : new Map([...all].filter(([name]) => only.includes(name)));
  const limit = pLimit(WATCHED_AT_ONCE);
  const locate = createLocator(deps, signal);
  const answers = await limit.map([...upstreams], async ([name, upstream]): Promise<Known<Upstream>> => {
    try {
      const located = await locate(upstream.source);
      return located.state === 'absent'
        ? located
        : await watchOne(name, { ...upstream, ...located.value, isHinted: only !== undefined }, deps, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return { state: 'unknown', why: `${name} could not be asked: ${messageOf(error)}` };
    }
  });
  return new Map([...upstreams.keys()].map((name, index) => [name, answers[index]!]));
}

interface Watched {
  readonly source: UpstreamSource;
  /** Every platform that any image wants of it. */
  readonly platforms: Set<Platform>;
}

function upstreamsOf(fleet: Fleet): Map<string, Watched> {
  const watched = new Map<string, Watched>();
  for (const image of fleet.images) {
    for (const { source } of image.inputs) {
      if ('golden' in source) continue;
      const name = upstreamName(source);
      const entry = watched.get(name) ?? { source, platforms: new Set() };
      for (const platform of image.platforms) entry.platforms.add(platform);
      watched.set(name, entry);
    }
  }
  return watched;
}

async function watchOne(
  name: string,
  { reference, tag, newer, platforms: wanted, isHinted }: Watched & Located & { readonly isHinted: boolean },
  deps: WatchDeps,
  signal: AbortSignal,
): Promise<Known<Upstream>> {
  const source = deps.sourceOf(reference);
  const gone = { state: 'absent', ...(tag && { why: `${formatReference(reference)} went away meanwhile` }) } as const;
  const head = await deps.registry.head(source, { signal });
  if (head === undefined) return gone;
  const last = await deps.ledger.observation(name);
  const checkedAt = deps.now();
  const choice = { ...(tag && { tag }), ...(newer && { newer }) };
  if (last?.digest === head.digest && [...wanted].every((platform) => platform in last.platforms)) {
    const { tag: _tag, newer: _newer, ...content } = last;
    const observation = { ...content, ...choice, checkedAt };
    await deps.ledger.observe(name, observation);
    return { state: 'known', value: toUpstream(observation) };
  }
  const resolved = await resolveImage(deps.registry, { ...source, digest: head.digest }, [...wanted], { signal });
  if (resolved === undefined) return gone;
  const platforms = Object.fromEntries(
    Object.entries(resolved.platforms).flatMap(([platform, child]) => (child ? [[platform, child.digest]] : [])),
  );
  const { platformsCreated } = resolved;
  const times = {
    ...(resolved.created === undefined ? {} : { created: resolved.created }),
    platformsCreated,
    firstSeenAt: firstSeen(last, head.digest, { created: resolved.created, checkedAt }),
    ...detection(last, head.digest, { created: resolved.created, checkedAt, isHinted }),
    checkedAt,
  };
  const observation = { digest: head.digest, platforms, ...choice, ...times };
  await deps.ledger.observe(name, observation);
  return { state: 'known', value: toUpstream(observation) };
}

/** Without a memory, the time at which upstream made it is the best that is known (decisions 15). */
function firstSeen(
  seen: Observation | undefined,
  digest: Digest,
  { created, checkedAt }: { readonly created: string | undefined; readonly checkedAt: string },
): string {
  if (seen?.digest === digest) return seen.firstSeenAt;
  return seen === undefined ? (created ?? checkedAt) : checkedAt;
}

interface Look {
  readonly created: string | undefined;
  readonly checkedAt: string;
  readonly isHinted: boolean;
}

/** The tag cannot have moved before a look that saw it elsewhere, however long ago its content was made. */
function detection(seen: Observation | undefined, digest: Digest, { created, checkedAt, isHinted }: Look) {
  if (seen?.digest === digest) {
    const { detectedAt, detectedBy, changedAt } = seen;
    return { ...(detectedAt && { detectedAt }), ...(detectedBy && { detectedBy }), ...(changedAt && { changedAt }) };
  }
  const made = created === undefined ? Number.NaN : Date.parse(created);
  const isNew = seen !== undefined && made > Date.parse(seen.checkedAt) && made <= Date.parse(checkedAt);
  const changedAt = isNew ? created : seen?.checkedAt;
  const detectedBy = isHinted ? 'webhook' : 'watch';
  return { detectedAt: checkedAt, detectedBy, ...(changedAt && { changedAt }) } as const;
}

function toUpstream({ checkedAt: _, ...upstream }: Observation): Upstream {
  return upstream;
}
