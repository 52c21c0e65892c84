import type { FleetFacts, Readiness } from '../domain/facts.ts';
import type { Fleet, Image } from '../domain/fleet/model.ts';
import type { Inputs } from '../domain/inputs.ts';
import { planFleet } from '../domain/plan.ts';
import type { Platform } from '../domain/platform.ts';
import type { Run } from '../domain/run.ts';
import type { FreshnessStore } from '../ledger/freshness.ts';
import { gatherPackages, type PackageDeps } from './package-facts.ts';
import { readStates, type StateDeps } from './states.ts';
import { type WatchDeps, watchUpstreams } from './watch.ts';

export interface PlanDeps extends WatchDeps, Omit<StateDeps, 'now'> {
  readonly fleet: Fleet;
  /** Whether a platform can be built now, started when it can; `look`: nothing is started. Asked only when something is stale. */
  readonly readiness: (platform: Platform, options?: { readonly look?: boolean }) => Promise<Readiness>;
  /** Absent: what packages the archives offer is not looked at. */
  readonly packages?: PackageDeps;
  /** What a verdict depends on besides the candidate. Asked only for images whose last candidate was blocked. */
  readonly verdictBasis?: (image: Image, signal: AbortSignal) => Promise<string>;
  readonly disk?: () => Promise<FleetFacts['disk']>;
  /** What the platforms of a run are to agree upon beside what the plan decided: one state of the archives. */
  readonly fixInputs?: (image: Image, inputs: Inputs, signal: AbortSignal) => Promise<Inputs>;
  /** Absent: nobody keeps how long things take. */
  readonly freshness?: FreshnessStore;
  /** Images that somebody asked to be built anew, and who. */
  readonly requested?: FleetFacts['requested'];
}

/** Gathers what a plan needs, and nothing that it does not need. */
export async function gatherFacts(deps: PlanDeps, signal: AbortSignal): Promise<FleetFacts> {
  const { fleet } = deps;
  const [upstreams, states, history] = await Promise.all([
    watchUpstreams(fleet, deps, signal),
    readStates(deps, fleet.images, signal),
    readHistory(deps, fleet.images),
  ]);
  const facts: FleetFacts = {
    now: deps.now(),
    rebuild: fleet.settings.rebuild,
    freezes: fleet.settings.freezes,
    images: fleet.images,
    upstreams,
    ...states,
    history,
    builders: new Map(),
    runs: new Map(),
    ...(deps.requested && { requested: deps.requested }),
    ...(await gatherPackages(fleet.images, states.releases, deps, signal)),
  };
  return { ...facts, ...(await gatherForStale(facts, deps, signal)) };
}

/** The same for a look: it leaves nothing behind, not even when an upstream was looked at, and starts no builder. */
export function lookAtFacts(deps: PlanDeps, signal: AbortSignal): Promise<FleetFacts> {
  const ledger = { ...deps.ledger, observe: async () => {} };
  return gatherFacts({ ...deps, ledger, readiness: (platform) => deps.readiness(platform, { look: true }) }, signal);
}

/** The same facts, with what the end of a run may have changed of its image asked anew. */
export async function refreshFacts(
  facts: FleetFacts,
  image: Image,
  deps: PlanDeps,
  signal: AbortSignal,
): Promise<FleetFacts> {
  const { releases, standing, damage } = await readStates(deps, [image], signal);
  const { packages, fixable } = await gatherPackages([image], releases, deps, signal);
  const { name } = image;
  return {
    ...facts,
    releases: replace(facts.releases, releases, name),
    standing: replace(facts.standing, standing, name),
    damage: replace(facts.damage, damage, name),
    packages: replace(facts.packages, packages, name),
    fixable: replace(facts.fixable, fixable, name),
    // What was asked for has been done.
    requested: replace(facts.requested, undefined, name),
  };
}

/** The same facts, with these upstreams asked anew: somebody said that they moved. */
export async function refreshUpstreams(
  facts: FleetFacts,
  names: readonly string[],
  deps: PlanDeps,
  signal: AbortSignal,
): Promise<FleetFacts> {
  if (names.length === 0) return facts;
  const asked = await watchUpstreams(deps.fleet, deps, signal, { only: names });
  return { ...facts, upstreams: new Map([...facts.upstreams, ...asked]) };
}

/** The same facts at another time, with all that is kept of these images asked anew. */
export async function refreshImages(
  facts: FleetFacts,
  images: readonly Image[],
  deps: PlanDeps,
  signal: AbortSignal,
): Promise<FleetFacts> {
  const { releases, standing, damage } = await readStates(deps, images, signal);
  const { packages, fixable } = await gatherPackages(images, releases, deps, signal);
  const history = await readHistory(deps, images);
  const names = new Set(images.map(({ name }) => name));
  // What was only asked about stale images says nothing of those that are stale now.
  const { verdictBasis: _basis, disk: _disk, ...lasting } = facts;
  const next: FleetFacts = {
    ...lasting,
    now: deps.now(),
    builders: new Map(),
    releases: replaceAll(facts.releases, releases, names),
    standing: replaceAll(facts.standing, standing, names),
    damage: replaceAll(facts.damage, damage, names),
    packages: replaceAll(facts.packages, packages, names),
    fixable: replaceAll(facts.fixable, fixable, names),
    history: replaceAll(facts.history, history, names),
    requested: deps.requested ?? new Map(),
  };
  return { ...next, ...(await gatherForStale(next, deps, signal)) };
}

function replaceAll<T>(
  all: ReadonlyMap<string, T> = new Map(),
  some: ReadonlyMap<string, T> = new Map(),
  names: ReadonlySet<string>,
): ReadonlyMap<string, T> {
  return new Map([...[...all].filter(([name]) => !names.has(name)), ...some]);
}

function replace<T>(
  all: ReadonlyMap<string, T> = new Map(),
  one: ReadonlyMap<string, T> = new Map(),
  name: string,
): ReadonlyMap<string, T> {
  const rest = [...all].filter(([key]) => key !== name);
  return new Map([...rest, ...one]);
}

/** What only matters for images that are stale. */
async function gatherForStale(facts: FleetFacts, deps: PlanDeps, signal: AbortSignal): Promise<Partial<FleetFacts>> {
  const stale = new Set(planFleet(facts).flatMap(({ image, state }) => (state === 'rebuild' ? [image] : [])));
  if (stale.size === 0) return {};
  const blocked = facts.images.filter(
    ({ name }) => stale.has(name) && facts.history?.get(name)?.[0]?.outcome === 'blocked',
  );
  const [builders, verdictBasis, disk] = await Promise.all([
    askBuilders(deps),
    basisOf(blocked, deps, signal),
    deps.disk?.(),
  ]);
  return { builders, verdictBasis, ...(disk && { disk }) };
}

async function askBuilders({ fleet, readiness }: PlanDeps): Promise<ReadonlyMap<Platform, Readiness>> {
  const platforms = [...new Set(fleet.images.flatMap((image) => image.platforms))];
  const answers = await Promise.all(platforms.map((platform) => readiness(platform)));
  return new Map(platforms.map((platform, index) => [platform, answers[index]!]));
}

async function basisOf(images: readonly Image[], { verdictBasis }: PlanDeps, signal: AbortSignal) {
  if (verdictBasis === undefined) return new Map<string, string>();
  const bases = images.map(async (image) => [image.name, await verdictBasis(image, signal)] as const);
  return new Map(await Promise.all(bases));
}

/** Enough for the longest back-off, and for a day of new recipes. */
const RUNS_KEPT = 10;

async function readHistory(
  { ledger }: PlanDeps,
  images: readonly Image[],
): Promise<ReadonlyMap<string, readonly Run[]>> {
  const asked = images.map(async ({ name }) => {
    const runs = await ledger.runs({ image: name, limit: RUNS_KEPT });
    return [name, runs.filter(({ outcome }) => outcome !== undefined)] as const;
  });
  return new Map(await Promise.all(asked));
}
