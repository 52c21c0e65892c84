import type { FleetFacts } from '../domain/facts.ts';
import type { Image } from '../domain/fleet/model.ts';
import { type PlanEntry, planFleet } from '../domain/plan.ts';
import type { Outcome } from '../domain/run.ts';
import type { Dispatcher, ProposeEnd, RunEnd } from '../queue/dispatcher.ts';
import { noteChanges } from './freshness.ts';
import { gatherFacts, type PlanDeps, refreshFacts } from './gather.ts';
import type { ReplicaReport } from './replicate.ts';
import type { StageReport } from './stages.ts';

export interface CycleDeps extends PlanDeps {
  readonly dispatcher: Dispatcher;
  readonly newRunId: () => string;
  /** Moves channels that are due, before pull requests are looked at. Absent: none does. */
  readonly moveStages?: (signal: AbortSignal) => Promise<readonly StageReport[]>;
  /** Brings replicas to where our own registry is. Absent: there is none. */
  readonly replicate?: (signal: AbortSignal) => Promise<readonly ReplicaReport[]>;
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
  readonly stages: readonly StageReport[];
  readonly replicas: readonly ReplicaReport[];
}

/**
 * One whole cycle: watch, plan, run what is stale, and plan again at each end, since a release makes its children
 * stale; then look at the downstreams. A failed image holds up nothing but its children.
 */
export async function runCycle(deps: CycleDeps, observer: CycleObserver, signal: AbortSignal): Promise<CycleResult> {
  const state: CycleState = { facts: await gatherFacts(deps, signal), runs: new Map(), ends: [] };
  for (;;) {
    const plan = planFleet({ ...state.facts, runs: state.runs });
    observer.onPlan?.(plan);
    await noteChanges({ ...state.facts, now: deps.now() }, plan, deps);
    await startStale(plan, state, deps, observer, signal);
    if (![...state.runs.values()].includes('running')) return await follow(plan, state, deps, observer, signal);
    await awaitEnd(state, deps, observer, signal);
  }
}

interface CycleState {
  facts: FleetFacts;
  readonly runs: Map<string, 'running' | Outcome>;
  readonly ends: RunEnd[];
}

async function startStale(
  plan: readonly PlanEntry[],
  { runs }: CycleState,
  deps: CycleDeps,
  observer: CycleObserver,
  signal: AbortSignal,
) {
  for (const entry of plan) {
    if (entry.state !== 'rebuild' || runs.has(entry.image)) continue;
    const runId = deps.newRunId();
    runs.set(entry.image, 'running');
    await observer.onStart?.(runId, entry);
    const image = deps.fleet.images.find(({ name }) => name === entry.image)!;
    const inputs = (await deps.fixInputs?.(image, entry.inputs!, signal)) ?? entry.inputs!;
    await deps.dispatcher.start({ runId, image: entry.image, inputs, reasons: entry.reasons });
  }
}

async function awaitEnd(state: CycleState, deps: CycleDeps, observer: CycleObserver, signal: AbortSignal) {
  const end = await deps.dispatcher.ended(signal);
  const image: Image | undefined = deps.fleet.images.find(({ name }) => name === end.image);
  if (image === undefined || state.runs.get(end.image) !== 'running') return;
  state.ends.push(end);
  state.runs.set(end.image, end.outcome);
  state.facts = await refreshFacts(state.facts, image, deps, signal);
  observer.onEnd?.(end);
}

/** What follows releases: channels in stages first, then replicas and pull requests, which are no business of each other. */
async function follow(
  plan: readonly PlanEntry[],
  { ends }: CycleState,
  deps: CycleDeps,
  observer: CycleObserver,
  signal: AbortSignal,
): Promise<CycleResult> {
  const stages = (await deps.moveStages?.(signal)) ?? [];
  const [proposals, replicas] = await Promise.all([
    propose(plan, deps, observer, signal),
    deps.replicate?.(signal) ?? [],
  ]);
  return { plan, runs: ends, stages, proposals, replicas };
}

/** Level-triggered: every released image is looked at, not only the new ones; what is in order costs nothing. */
async function propose(
  plan: readonly PlanEntry[],
  { fleet, dispatcher }: CycleDeps,
  observer: CycleObserver,
  signal: AbortSignal,
): Promise<readonly ProposeEnd[]> {
  if (fleet.settings.downstreams.length === 0) return [];
  const proposals: ProposeEnd[] = [];
  const released = plan.filter(({ release }) => release !== undefined);
  const [urgent, others] = [released.filter(isUrgent), released.filter((entry) => !isUrgent(entry))];
  for (const { image } of [...urgent, ...others]) {
    const end = await dispatcher.propose(image, signal);
    proposals.push(end);
    observer.onProposed?.(end);
  }
  return proposals;
}

/** Critical fixes go before what can wait. */
function isUrgent({ release }: PlanEntry): boolean {
  return release?.urgent === true;
}
