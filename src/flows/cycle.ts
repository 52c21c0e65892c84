import type { FleetFacts, Known, Readiness } from '../domain/facts.ts';
import type { Fleet, Image } from '../domain/fleet/model.ts';
import type { Places } from '../domain/places.ts';
import { type PlanEntry, planFleet } from '../domain/plan.ts';
import type { Platform } from '../domain/platform.ts';
import type { Outcome } from '../domain/run.ts';
import type { Release } from '../domain/staleness.ts';
import type { Dispatcher, ProposeEnd, RunEnd } from '../queue/dispatcher.ts';
import { readRelease } from './releases.ts';
import { type WatchDeps, watchUpstreams } from './watch.ts';

export interface PlanDeps extends WatchDeps {
  readonly fleet: Fleet;
  readonly places: Places;
  /** Whether a platform can be built now. Asked only when something is to be built. */
  readonly readiness: (platform: Platform) => Promise<Readiness>;
}

export interface CycleDeps extends PlanDeps {
  readonly dispatcher: Dispatcher;
  readonly newRunId: () => string;
}

export interface CycleObserver {
  onPlan?(plan: readonly PlanEntry[]): void;
  /** Awaited, so that a run is in the ledger before a worker has it. */
  onStart?(runId: string, entry: PlanEntry): Promise<void> | void;
  onEnd?(end: RunEnd): void;
  onProposed?(end: ProposeEnd): void;
}

export interface CycleResult {
  /** The plan as it was at the end: what is fresh, what waits and for what. */
  readonly plan: readonly PlanEntry[];
  readonly runs: readonly RunEnd[];
  readonly proposals: readonly ProposeEnd[];
}

/** Gathers what a plan needs, and nothing that it does not need. */
export async function gatherFacts(deps: PlanDeps, signal: AbortSignal): Promise<FleetFacts> {
  const { fleet } = deps;
  const [upstreams, releases] = await Promise.all([
    watchUpstreams(fleet, deps, signal),
    readReleases(deps, fleet.images, signal),
  ]);
  const facts: FleetFacts = { images: fleet.images, upstreams, releases, builders: new Map(), runs: new Map() };
  const wanted = planFleet(facts).some((entry) => entry.state === 'rebuild');
  return wanted ? { ...facts, builders: await askBuilders(deps) } : facts;
}

async function askBuilders({ fleet, readiness }: PlanDeps): Promise<ReadonlyMap<Platform, Readiness>> {
  const platforms = [...new Set(fleet.images.flatMap((image) => image.platforms))];
  const answers = await Promise.all(platforms.map(readiness));
  return new Map(platforms.map((platform, index) => [platform, answers[index]!]));
}

async function readReleases(deps: PlanDeps, images: readonly Image[], signal: AbortSignal) {
  const asked = images.map(async (image) => {
    const release = await readRelease(deps.registry, deps.places.release(image.name), image, { signal });
    return [image.name, release] as const;
  });
  return new Map(await Promise.all(asked));
}

/**
 * One whole cycle: watch, plan, run what is stale, and plan again at each end, since a release makes its children
 * stale; then look at the downstreams. A failed image holds up nothing but its children.
 */
export async function runCycle(deps: CycleDeps, observer: CycleObserver, signal: AbortSignal): Promise<CycleResult> {
  const state = await startState(deps, signal);
  for (;;) {
    const plan = planFleet({ ...state.facts, releases: state.releases, runs: state.runs });
    observer.onPlan?.(plan);
    await startStale(plan, state, deps, observer);
    if (![...state.runs.values()].includes('running')) return await propose(plan, state, deps, observer, signal);
    await awaitEnd(state, deps, observer, signal);
  }
}

interface CycleState {
  readonly facts: FleetFacts;
  readonly releases: Map<string, Known<Release>>;
  readonly runs: Map<string, 'running' | Outcome>;
  readonly ends: RunEnd[];
}

async function startState(deps: CycleDeps, signal: AbortSignal): Promise<CycleState> {
  const facts = await gatherFacts(deps, signal);
  return { facts, releases: new Map(facts.releases), runs: new Map(), ends: [] };
}

async function startStale(plan: readonly PlanEntry[], { runs }: CycleState, deps: CycleDeps, observer: CycleObserver) {
  for (const entry of plan) {
    if (entry.state !== 'rebuild' || runs.has(entry.image)) continue;
    const runId = deps.newRunId();
    runs.set(entry.image, 'running');
    await observer.onStart?.(runId, entry);
    await deps.dispatcher.start({ runId, image: entry.image, inputs: entry.inputs!, reasons: entry.reasons });
  }
}

async function awaitEnd(
  { runs, ends, releases }: CycleState,
  deps: CycleDeps,
  observer: CycleObserver,
  signal: AbortSignal,
) {
  const end = await deps.dispatcher.ended(signal);
  const image = deps.fleet.images.find(({ name }) => name === end.image);
  if (image === undefined || runs.get(end.image) !== 'running') return;
  ends.push(end);
  runs.set(end.image, end.outcome);
  const released = await readReleases(deps, [image], signal);
  releases.set(image.name, released.get(image.name)!);
  observer.onEnd?.(end);
}

/** Level-triggered: every released image is looked at, not only the new ones; what is in order costs nothing. */
async function propose(
  plan: readonly PlanEntry[],
  state: CycleState,
  deps: CycleDeps,
  observer: CycleObserver,
  signal: AbortSignal,
): Promise<CycleResult> {
  const proposals: ProposeEnd[] = [];
  const wanted =
    deps.fleet.settings.downstreams.length === 0 ? [] : plan.filter((entry) => entry.release !== undefined);
  for (const { image } of wanted) {
    const end = await deps.dispatcher.propose(image, signal);
    proposals.push(end);
    observer.onProposed?.(end);
  }
  return { plan, runs: state.ends, proposals };
}
