import { type Digest, digestOf } from './digest.ts';
import type { FleetFacts } from './facts.ts';
import type { Image } from './fleet/model.ts';
import { type Inputs, inputsDigest } from './inputs.ts';
import { type PlanEntry, planFleet } from './plan.ts';
import type { Hold, Release } from './staleness.ts';
import { nextVersion } from './version.ts';

/** What the plan comes to when each wave is released in turn. */
export interface Ahead {
  /** The plan as the facts have it. */
  readonly plan: readonly PlanEntry[];
  /** Who would be rebuilt first, second …, each as it is planned when its turn comes. */
  readonly waves: readonly (readonly PlanEntry[])[];
  /** The plan when nothing more would be rebuilt: whoever is still stale waits for something that no release brings. */
  readonly end: readonly PlanEntry[];
  /** Digests that exist in no registry: of the releases that were supposed. */
  readonly invented: ReadonlySet<Digest>;
}

/**
 * Plans, supposes that everything stale was released, and plans again until nothing more is stale. Holds that end by
 * themselves count as ended. Pure; as many plans as the longest chain of images has links.
 */
export function lookAhead(facts: FleetFacts): Ahead {
  const images = new Map(facts.images.map((image) => [image.name, image]));
  const plan = planFleet(facts);
  const waves: PlanEntry[][] = [];
  const done = new Set<string>();
  const invented = new Set<Digest>();
  let [now, current] = [facts, plan];
  for (;;) {
    const wave = current.filter((entry) => !done.has(entry.image) && isDue(entry));
    if (wave.length === 0) return { plan, waves, end: current, invented };
    waves.push(wave);
    const releases = wave.map((entry) => [entry.image, supposeRelease(images.get(entry.image)!, entry)] as const);
    for (const [name, release] of releases) {
      done.add(name);
      invented.add(release.digest);
    }
    now = withReleases(now, new Map(releases));
    current = planFleet(now);
  }
}

/** Holds that end without anybody doing anything: time passes, or a run that is under way ends. */
const PASSING: ReadonlySet<Hold['kind']> = new Set(['settling', 'outside-window', 'backing-off']);

function isDue({ state, inputs, holds }: PlanEntry): boolean {
  if (inputs === undefined) return false;
  if (state === 'rebuild' || state === 'running') return true;
  return state === 'held' && holds.every(({ kind }) => PASSING.has(kind));
}

/** A release as a rebuild would make it. */
function supposeRelease(image: Image, { inputs, release, reasons }: PlanEntry): Release {
  const taken = release === undefined ? [] : [release.version];
  return { ...supposeContent(image, inputs!), version: nextVersion(image.line, taken, reasons), inputs: inputs! };
}

/** Digests that are made up, and always the same for the same inputs. */
export function supposeContent(image: Image, inputs: Inputs): Pick<Release, 'digest' | 'platforms'> {
  const seed = `supposed release of ${inputsDigest(inputs)}`;
  const platforms = image.platforms.map((platform) => [platform, digestOf(`${seed} for ${platform}`)] as const);
  return { digest: digestOf(seed), platforms: Object.fromEntries(platforms) };
}

/** The same facts with newer releases: what was known of the older ones does not count any more. */
function withReleases(facts: FleetFacts, released: ReadonlyMap<string, Release>): FleetFacts {
  const releases = new Map(facts.releases);
  for (const [name, value] of released) releases.set(name, { state: 'known', value });
  const rest = <T>(map: ReadonlyMap<string, T>) => new Map([...map].filter(([name]) => !released.has(name)));
  const { requested, packages, fixable, damage, verdictBasis, history } = facts;
  return {
    ...facts,
    releases,
    runs: rest(facts.runs),
    ...(requested && { requested: rest(requested) }),
    ...(packages && { packages: rest(packages) }),
    ...(fixable && { fixable: rest(fixable) }),
    ...(damage && { damage: rest(damage) }),
    ...(verdictBasis && { verdictBasis: rest(verdictBasis) }),
    ...(history && { history: rest(history) }),
  };
}
