import pLimit from 'p-limit';
import type { Digest } from '../domain/digest.ts';
import type { Known, Upstream } from '../domain/facts.ts';
import type { Fleet } from '../domain/fleet/model.ts';
import type { Platform } from '../domain/platform.ts';
import { formatReference, type Reference } from '../domain/reference.ts';
import { resolveImage } from '../image/resolve.ts';
import type { Ledger, Observation } from '../ledger/ledger.ts';
import type { Registry } from '../registry/registry.ts';
import { messageOf } from './steps.ts';

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
 * Asks each upstream of the fleet once: a HEAD, and a GET only for a digest that was not seen before.
 * One that cannot be asked is `unknown` and holds up nothing but what depends on it.
 */
export async function watchUpstreams(
  fleet: Fleet,
  deps: WatchDeps,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Known<Upstream>>> {
  const upstreams = upstreamsOf(fleet);
  const limit = pLimit(WATCHED_AT_ONCE);
  const answers = await limit.map([...upstreams.values()], (upstream) => watchOne(upstream, deps, signal));
  return new Map([...upstreams.keys()].map((name, index) => [name, answers[index]!]));
}

interface Watched {
  readonly reference: Reference;
  /** Every platform that any image wants of it. */
  readonly platforms: Set<Platform>;
}

function upstreamsOf(fleet: Fleet): Map<string, Watched> {
  const watched = new Map<string, Watched>();
  for (const image of fleet.images) {
    for (const { source } of image.inputs) {
      if ('golden' in source) continue;
      const name = formatReference(source.upstream);
      const entry = watched.get(name) ?? { reference: source.upstream, platforms: new Set() };
      for (const platform of image.platforms) entry.platforms.add(platform);
      watched.set(name, entry);
    }
  }
  return watched;
}

async function watchOne(upstream: Watched, deps: WatchDeps, signal: AbortSignal): Promise<Known<Upstream>> {
  const name = formatReference(upstream.reference);
  const source = deps.sourceOf(upstream.reference);
  try {
    const head = await deps.registry.head(source, { signal });
    if (head === undefined) return { state: 'absent' };
    const seen = await deps.ledger.observation(name);
    const checkedAt = deps.now();
    if (seen?.digest === head.digest && [...upstream.platforms].every((platform) => platform in seen.platforms)) {
      await deps.ledger.observe(name, { ...seen, checkedAt });
      return { state: 'known', value: toUpstream(seen) };
    }
    const resolved = await resolveImage(deps.registry, { ...source, digest: head.digest }, [...upstream.platforms], {
      signal,
    });
    if (resolved === undefined) return { state: 'absent' };
    const platforms = Object.fromEntries(
      Object.entries(resolved.platforms).flatMap(([platform, child]) => (child ? [[platform, child.digest]] : [])),
    );
    const { platformsCreated } = resolved;
    const created = resolved.created === undefined ? {} : { created: resolved.created };
    const times = {
      ...created,
      platformsCreated,
      firstSeenAt: firstSeen(seen, head.digest, { created: resolved.created, checkedAt }),
      checkedAt,
    };
    const observation = { digest: head.digest, platforms, ...times };
    await deps.ledger.observe(name, observation);
    return { state: 'known', value: toUpstream(observation) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { state: 'unknown', why: `${name} could not be asked: ${messageOf(error)}` };
  }
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

function toUpstream({ digest, platforms, created, platformsCreated, firstSeenAt }: Observation): Upstream {
  const times = { ...(created && { created }), ...(platformsCreated && { platformsCreated }) };
  return { digest, platforms, ...times, firstSeenAt };
}
