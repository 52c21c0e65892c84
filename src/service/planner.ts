import type { Digest } from '../domain/digest.ts';
import type { FleetFacts } from '../domain/facts.ts';
import { type PlanEntry, planFleet } from '../domain/plan.ts';
import { standingOf } from '../domain/standing.ts';
import { upstreamOfChange } from '../domain/upstream.ts';
import { noteChanges } from '../flows/freshness.ts';
import { gatherFacts, refreshImages, refreshUpstreams } from '../flows/gather.ts';
import type { ActiveRun, Request, StoredPlan } from '../ledger/store.ts';
import type { PlannedFactory, PlannerDeps } from './factory.ts';
import { openRun } from './open-run.ts';
import { priorityOf } from './priority.ts';
import { reconcile } from './reconcile.ts';

/** What one process knows since its last look. */
interface Memory {
  readonly definitions: Digest;
  readonly place: string;
  readonly facts: FleetFacts;
}

export interface Planner {
  /** Looks at what is, decides, and hands over what is to be done. Any number of processes may do so, at any time. */
  look(factory: PlannedFactory, signal: AbortSignal): Promise<readonly PlanEntry[]>;
}

/**
 * Level-triggered: what is to be done is decided from what is there, never from what happened. An image with a run
 * that has not ended is not started again, whoever started that.
 */
export function createPlanner(deps: PlannerDeps): Planner {
  let memory: Memory | undefined;
  let said = '';
  return {
    async look(factory, signal) {
      const [requests, active] = await Promise.all([deps.store.requests(), reconcile(factory, deps)]);
      const { facts, place, changed } = await observe(memory, requests, factory, deps, signal);
      memory = { definitions: factory.definitions, place, facts };
      const runs = new Map(active.map(({ image }) => [image, 'running'] as const));
      const entries = planFleet({ ...facts, runs });
      await deps.store.putPlan(toStored(entries, facts, factory, deps.now().toISOString()));
      await noteChanges(facts, entries, factory.plan);
      const counts = { rebuilding: countOf(entries, 'rebuild'), waiting: countOf(entries, 'held') };
      if (said !== JSON.stringify(counts)) await deps.store.tell({ type: 'plan.made', ...counts });
      said = JSON.stringify(counts);
      await start(entries, requests, factory, deps, signal);
      await follow(entries, changed, factory, deps);
      return entries;
    },
  };
}

function countOf(entries: readonly PlanEntry[], state: PlanEntry['state']): number {
  return entries.filter((entry) => entry.state === state).length;
}

function toStored(
  entries: readonly PlanEntry[],
  { standing = new Map(), upstreams }: FleetFacts,
  { definitions }: PlannedFactory,
  at: string,
): StoredPlan {
  const decided = [...standing].map(([image, { marks = [], paused }]) => {
    const { quarantined } = standingOf(marks, at);
    return [image, { quarantined, ...(paused && { paused }) }] as const;
  });
  const unasked = [...upstreams].flatMap(([name, answer]) => (answer.state === 'unknown' ? [[name, answer.why]] : []));
  return { at, definitions, entries, standing: Object.fromEntries(decided), unasked: Object.fromEntries(unasked) };
}

interface Observed {
  readonly facts: FleetFacts;
  readonly place: string;
  /** Images of which something was said to have changed; all when nobody knows any more what was said. */
  readonly changed: readonly string[];
}

async function observe(
  memory: Memory | undefined,
  requests: readonly Request[],
  { definitions, plan }: PlannedFactory,
  { store }: PlannerDeps,
  signal: AbortSignal,
): Promise<Observed> {
  const requested = new Map(requests.map(({ image, by, at }) => [image, { by, at }]));
  const asked = { ...plan, requested };
  const known = memory?.definitions === definitions ? memory : undefined;
  const changes = known && (await store.changesAfter(known.place));
  const isLost = known === undefined || changes === undefined;
  const images = plan.fleet.images.filter(({ name }) => isLost || changes.images.includes(name));
  const changed = images.map(({ name }) => name);
  if (isLost || changes.images.includes('*')) {
    const place = await store.place(); // what changes while we ask is asked about again
    return { facts: await gatherFacts(asked, signal), place, changed };
  }
  const upstreams = changes.images.flatMap((change) => upstreamOfChange(change) ?? []);
  const before = await refreshUpstreams(known.facts, upstreams, asked, signal);
  const facts = await refreshImages(before, images, asked, signal);
  return { facts, place: changes.place, changed };
}

async function start(
  entries: readonly PlanEntry[],
  requests: readonly Request[],
  { definitions, plan, ledger }: PlannedFactory,
  { store, runs, now, newRunId }: PlannerDeps,
  signal: AbortSignal,
): Promise<void> {
  const asked = new Map(requests.map((request) => [request.image, request]));
  for (const entry of entries) {
    if (entry.state !== 'rebuild') continue;
    signal.throwIfAborted();
    const image = plan.fleet.images.find(({ name }) => name === entry.image)!;
    const inputs = (await plan.fixInputs?.(image, entry.inputs!, signal)) ?? entry.inputs!;
    const request = asked.get(entry.image);
    const run: ActiveRun = {
      runId: request?.runId ?? newRunId(),
      image: entry.image,
      inputs,
      reasons: entry.reasons,
      priority: request?.priority ?? priorityOf(entry.reasons),
      definitions,
      startedAt: now().toISOString(),
    };
    if (!(await store.claim(run))) continue; // another planner was faster
    await openRun(run, ledger);
    await runs.start(run);
    await store.tell({ type: 'run.started', run: run.runId, image: run.image });
  }
}

/** Pull requests, stages and replicas of what was released. */
async function follow(
  entries: readonly PlanEntry[],
  changed: readonly string[],
  { definitions, follows, proposes }: PlannedFactory,
  { runs }: PlannerDeps,
): Promise<void> {
  if (changed.length === 0) return;
  if (follows) await runs.follow();
  if (!proposes) return;
  const released = entries.filter(({ image, release }) => changed.includes(image) && release !== undefined);
  for (const { image, release } of released)
    await runs.propose(image, definitions, { urgent: release?.urgent === true });
}
