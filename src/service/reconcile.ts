import type { ActiveRun } from '../ledger/store.ts';
import type { PlannedFactory, PlannerDeps } from './factory.ts';
import { openRun } from './open-run.ts';

/** Between the claim of a run and its job lie moments; a planner that died in between leaves a run without one. */
const GRACE_MS = 15_000;

/**
 * The runs that have not ended. Those whose jobs are gone were never handed over, since a planner died, or were given
 * up by the queues: the former are handed over now, the latter have failed.
 */
export async function reconcile(factory: PlannedFactory, deps: PlannerDeps): Promise<readonly ActiveRun[]> {
  const active = await deps.store.active();
  const open = await Promise.all(active.map(async (run) => ((await isOpen(run, factory, deps)) ? [run] : [])));
  return open.flat();
}

async function isOpen(run: ActiveRun, { ledger }: PlannedFactory, { store, runs, now }: PlannerDeps): Promise<boolean> {
  const { image, runId } = run;
  if (await runs.has(run)) return true;
  const known = await ledger.run(runId); // after the jobs: a worker writes the end before its job goes
  if (known?.outcome !== undefined) {
    await store.ended(image, runId);
    await store.changed([image]);
    return false;
  }
  if (now().getTime() - Date.parse(run.startedAt) < GRACE_MS) return true;
  if (known === undefined || known.steps.length === 0) {
    await openRun(run, ledger);
    await runs.start(run);
    return true;
  }
  const summary = 'the queue gave it up: its workers died one after the other';
  await ledger.finishRun(runId, { outcome: 'failed', summary, endedAt: now().toISOString() });
  await store.ended(image, runId);
  await store.changed([image]);
  await store.tell({ type: 'run.ended', run: runId, image, outcome: 'failed', summary });
  return false;
}
