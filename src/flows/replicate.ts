import pLimit from 'p-limit';
import { FactoryError } from '../domain/errors.ts';
import type { Fleet, Image } from '../domain/fleet/model.ts';
import { type Places, parseBase, placesBelow } from '../domain/places.ts';
import type { Reference } from '../domain/reference.ts';
import { channelTagsOf, type ReplicaFacts, versionsToCopy, versionsToWarnOf } from '../domain/replicas.ts';
import { RegistryError } from '../registry/registry.ts';
import type { Attestor } from '../signer/signer.ts';
import type { MarkDeps } from './mark-log.ts';
import { readMarks } from './marks.ts';
import { followChannel, followReferrers } from './replicate-channels.ts';
import { replicateRelease } from './replicate-release.ts';

export interface ReplicateDeps extends MarkDeps {
  readonly fleet: Fleet;
  readonly places: Places;
  readonly attestor: Attestor;
}

/** What was done at one replica. */
export interface ReplicaReport {
  /** As in ingot.yaml. */
  readonly replica: string;
  /** Why it could not be asked at all; what is left there is made up for the next time. */
  readonly unreachable?: string;
  readonly copied: readonly { readonly image: string; readonly version: string }[];
  readonly moved: readonly { readonly image: string; readonly channel: string; readonly version?: string }[];
  readonly problems: readonly { readonly image: string; readonly message: string }[];
}

/** One image at one replica. */
export interface Pair {
  readonly image: Image;
  readonly from: Reference;
  readonly to: Reference;
}

const AT_ONCE = 4;

/**
 * Brings every replica to where our own registry is. Level-triggered: what is there is compared with what should be,
 * so that one that was down catches up. Replicas know nothing of each other: one that is down holds up none.
 */
export async function replicateAll(deps: ReplicateDeps, signal: AbortSignal): Promise<readonly ReplicaReport[]> {
  const { settings } = deps.fleet;
  return Promise.all(settings.replicas.map((replica) => replicateTo(replica, deps, signal)));
}

interface Progress {
  unreachable?: string;
  readonly copied: { image: string; version: string }[];
  readonly moved: { image: string; channel: string; version?: string }[];
  readonly problems: { image: string; message: string }[];
}

async function replicateTo(replica: string, deps: ReplicateDeps, signal: AbortSignal): Promise<ReplicaReport> {
  const there = placesBelow(parseBase(replica));
  const limit = pLimit(AT_ONCE);
  const progress: Progress = { copied: [], moved: [], problems: [] };
  const visits = deps.fleet.images.map((image) => {
    const pair = { image, from: deps.places.release(image.name), to: there.release(image.name) };
    const visit = { pair, progress, deps, signal };
    return limit(() => attempt(visit, () => replicateImage(visit)));
  });
  await Promise.all(visits);
  return { replica, ...progress };
}

interface Visit {
  readonly pair: Pair;
  readonly progress: Progress;
  readonly deps: ReplicateDeps;
  readonly signal: AbortSignal;
}

async function replicateImage(visit: Visit): Promise<void> {
  const { pair, progress, deps, signal } = visit;
  const image = pair.image.name;
  const facts = await readFacts(visit);
  for (const version of versionsToCopy(facts)) {
    await attempt(visit, async () => {
      if (await replicateRelease(pair, version, deps, signal)) progress.copied.push({ image, version });
    });
  }
  for (const channel of channelTagsOf(facts)) {
    await attempt(visit, async () => {
      const move = await followChannel(pair, channel, deps, signal);
      if (move !== undefined) progress.moved.push({ image, channel, ...move });
    });
  }
  await attempt(visit, () => followReferrers(pair, [pair.image.line, ...versionsToWarnOf(facts)], deps, signal));
}

async function readFacts({ pair, deps, signal }: Visit): Promise<ReplicaFacts> {
  const { image, from, to } = pair;
  const { registry, fleet } = deps;
  const [ours, theirs, marks] = await Promise.all([
    registry.tags(from, { signal }),
    registry.tags(to, { signal }),
    readMarks(registry, from, { signal }),
  ]);
  return { line: image.line, channels: fleet.settings.channels.map(({ name }) => name), ours, theirs, marks };
}

/**
 * A part that fails is said, and holds up no other. One answer that the replica is down is enough for all of it: a
 * fleet of hundreds would wait for hours.
 */
async function attempt({ pair, progress, signal }: Visit, work: () => Promise<void>): Promise<void> {
  if (progress.unreachable !== undefined) return;
  try {
    await work();
  } catch (error) {
    if (signal.aborted || !(error instanceof FactoryError)) throw error;
    if (isDown(error) && error.details.registry === pair.to.registry) progress.unreachable ??= error.message;
    else progress.problems.push({ image: pair.image.name, message: error.message });
  }
}

function isDown(error: FactoryError): boolean {
  return error instanceof RegistryError && ['unavailable', 'timed-out'].includes(error.code);
}
