import { channelPositions } from '../domain/channel-journal.ts';
import type { Known, StandingFacts } from '../domain/facts.ts';
import type { Image } from '../domain/fleet/model.ts';
import type { Places } from '../domain/places.ts';
import type { Reference } from '../domain/reference.ts';
import type { Release } from '../domain/staleness.ts';
import { standingOf } from '../domain/standing.ts';
import type { Registry } from '../registry/registry.ts';
import { readMarks } from './marks.ts';
import { readRelease } from './releases.ts';
import { messageOf } from './steps.ts';

export interface StateDeps {
  readonly registry: Registry;
  readonly places: Places;
  /** Brings tags to where a process that was killed wanted them. Absent, as for a look: they stay where they are. */
  readonly finishMoves?: (repository: Reference, signal: AbortSignal) => Promise<unknown>;
  /** What the registry lacks of a release, after what could be was put back; empty when it is whole. */
  readonly findDamage?: (image: Image, release: Release, signal: AbortSignal) => Promise<readonly string[]>;
  /** RFC 3339. */
  readonly now: () => string;
}

/** What our registry says of images: the release in use, what people decided, what is missing. */
export async function readStates(deps: StateDeps, images: readonly Image[], signal: AbortSignal) {
  const fleetWide = await readStanding(deps, deps.places.fleet(), signal);
  const states = await Promise.all(images.map((image) => readState(image, deps, signal)));
  const releases = new Map<string, Known<Release>>();
  const standing = new Map<string, StandingFacts>();
  const damage = new Map<string, readonly string[]>();
  for (const [index, { name }] of images.entries()) {
    const state = states[index]!;
    const unasked = [state.standing, fleetWide].find((each) => each.state === 'unknown');
    releases.set(name, unasked?.state === 'unknown' ? unasked : state.release);
    standing.set(name, merge(state.standing, fleetWide));
    if (state.damage.length > 0) damage.set(name, state.damage);
  }
  return { releases, standing, damage };
}

async function readState(image: Image, deps: StateDeps, signal: AbortSignal) {
  const repository = deps.places.release(image.name);
  const read = () => readRelease(deps.registry, repository, image, { signal });
  const [found, standing] = await Promise.all([read(), readStanding(deps, repository, signal)]);
  const isBehind = deps.finishMoves !== undefined && isUnfinished(image, found, standing);
  const release = isBehind && (await finishes(repository, deps, signal)) ? await read() : found;
  if (release.state !== 'known' || deps.findDamage === undefined) return { release, standing, damage: [] };
  return { release, standing, damage: await deps.findDamage(image, release.value, signal) };
}

/** The tag of the line moves last: where it is in its place, all others are. */
function isUnfinished({ line }: Image, release: Known<Release>, standing: Known<StandingFacts>): boolean {
  if (release.state === 'unknown' || standing.state !== 'known') return false;
  const position = channelPositions(standing.value.marks ?? []).get(line);
  return position !== undefined && position.digest !== (release.state === 'known' ? release.value.digest : undefined);
}

/** What cannot be moved now is left for the plan to say. */
async function finishes(repository: Reference, { finishMoves }: StateDeps, signal: AbortSignal): Promise<boolean> {
  try {
    await finishMoves?.(repository, signal);
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

async function readStanding(
  deps: StateDeps,
  repository: Reference,
  signal: AbortSignal,
): Promise<Known<StandingFacts>> {
  try {
    const marks = await readMarks(deps.registry, repository, { signal });
    return { state: 'known', value: { ...standingOf(marks, deps.now()), marks } };
  } catch (error) {
    if (signal.aborted) throw error;
    return {
      state: 'unknown',
      why: `${repository.registry}/${repository.repository} could not be asked: ${messageOf(error)}`,
    };
  }
}

/** A pause of the whole fleet is one of each image. */
function merge(own: Known<StandingFacts>, fleetWide: Known<StandingFacts>): StandingFacts {
  const [mine, all] = [known(own), known(fleetWide)];
  const paused = mine?.paused ?? all?.paused;
  return { quarantined: mine?.quarantined ?? [], marks: mine?.marks ?? [], ...(paused && { paused }) };
}

function known<T>(answer: Known<T>): T | undefined {
  return answer.state === 'known' ? answer.value : undefined;
}
