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
import { followMarks } from './replicate-marks.ts';
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

/** One image, here and at one replica; the other way round where it is restored. */
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
  const { settings, images } = deps.fleet;
  return Promise.all(settings.replicas.map((replica) => bringAll(images, { replica, isBack: false }, deps, signal)));
}

interface Progress {
  unreachable?: string;
  readonly copied: { image: string; version: string }[];
  readonly moved: { image: string; channel: string; version?: string }[];
  readonly problems: { image: string; message: string }[];
}

/**
 * Brings back what a replica has of these images and our own registry lacks, with the log of all that was decided. A
 * channel that is here already stays where it is: what moved it knew better.
 */
export async function restoreFrom(
  replica: string,
  images: readonly Image[],
  deps: ReplicateDeps,
  signal: AbortSignal,
): Promise<ReplicaReport> {
  return bringAll(images, { replica, isBack: true }, deps, signal);
}

interface Way {
  readonly replica: string;
  /** Back to us: with what is in quarantine, and channels are made where they are missing, and never moved. */
  readonly isBack: boolean;
}

async function bringAll(
  images: readonly Image[],
  way: Way,
  deps: ReplicateDeps,
  signal: AbortSignal,
): Promise<ReplicaReport> {
  const there = placesBelow(parseBase(way.replica));
  const [source, target] = way.isBack ? [there, deps.places] : [deps.places, there];
  const limit = pLimit(AT_ONCE);
  const progress: Progress = { copied: [], moved: [], problems: [] };
  const common = { way, progress, deps, signal };
  const fleet = { from: source.fleet(), to: target.fleet() };
  await attempt({ ...common, what: 'fleet' }, () => followMarks(fleet, deps.registry, { signal }));
  const visits = images.map((image) => {
    const pair = { image, from: source.release(image.name), to: target.release(image.name) };
    return { ...common, what: image.name, pair };
  });
  await Promise.all(visits.map((visit) => limit(() => attempt(visit, () => bring(visit)))));
  return { replica: way.replica, ...progress };
}

/** What is done, and what is known of how far it got. */
interface Work {
  /** The image; or what else it is about. */
  readonly what: string;
  readonly way: Way;
  readonly progress: Progress;
  readonly deps: ReplicateDeps;
  readonly signal: AbortSignal;
}

interface Visit extends Work {
  readonly pair: Pair;
}

async function bring(visit: Visit): Promise<void> {
  const { pair, way, progress, deps, signal } = visit;
  const image = pair.image.name;
  await attempt(visit, () => followMarks(pair, deps.registry, { signal }));
  const facts = await readFacts(visit);
  for (const version of versionsToCopy(facts, { all: way.isBack })) {
    await attempt(visit, async () => {
      if (await replicateRelease(pair, version, deps, signal)) progress.copied.push({ image, version });
    });
  }
  const channels = channelTagsOf(facts);
  for (const channel of way.isBack ? channels.filter((tag) => !facts.theirs.includes(tag)) : channels) {
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
async function attempt({ what, way, progress, signal }: Work, work: () => Promise<void>): Promise<void> {
  if (progress.unreachable !== undefined) return;
  try {
    await work();
  } catch (error) {
    if (signal.aborted || !(error instanceof FactoryError)) throw error;
    if (isDown(error) && error.details.registry === parseBase(way.replica).registry)
      progress.unreachable ??= error.message;
    else progress.problems.push({ image: what, message: error.message });
  }
}

function isDown(error: FactoryError): boolean {
  return error instanceof RegistryError && ['unavailable', 'timed-out'].includes(error.code);
}
