import type { App } from '../compose.ts';
import { finishMoves } from '../flows/channel-moves.ts';
import { type CycleResult, runCycle } from '../flows/cycle.ts';
import { followProposed } from '../flows/freshness.ts';
import type { PlanDeps } from '../flows/gather.ts';
import { type CycleRepair, explainRepair, repairBeforePlan } from '../flows/repair-before-plan.ts';
import { replicateAll } from '../flows/replicate.ts';
import { moveStages } from '../flows/stages.ts';
import { repairDeps, replicateDeps, stageDeps } from './flow-deps.ts';
import type { View } from './live/view.ts';

export interface OnceResult extends CycleResult {
  readonly repairs: readonly CycleRepair[];
}

/** A cycle with workers in this process, told to the view. */
export async function runOnce(app: App, view: View, signal: AbortSignal): Promise<OnceResult> {
  const session = await app.startSession(view);
  const repairs: CycleRepair[] = [];
  try {
    const stages = stageDeps(app);
    const deps = {
      ...app.cycle,
      finishMoves: (repository, aborted) => finishMoves(repository, stages, aborted),
      findDamage: repairBeforePlan(repairDeps(app), (repair) => repairs.push(repair)),
    } satisfies PlanDeps;
    const result = await runCycle(
      {
        ...deps,
        dispatcher: session.dispatcher,
        newRunId: app.newRunId,
        moveStages: (aborted) => moveStages(app.fleet.images, stages, aborted),
        replicate: (aborted) => replicateAll(replicateDeps(app), aborted),
      },
      app.record(view),
      signal,
    );
    if (app.fleet.settings.downstreams.length > 0) {
      await followProposed(app.freshness, await app.downstreams.list(signal), signal);
    }
    return { ...result, repairs };
  } finally {
    await session.close();
  }
}

/** What became of each image that lacked something. */
export function repairLines(repairs: readonly CycleRepair[]): string[] {
  return repairs.flatMap((repair) => {
    return explainRepair(repair).map((phrase) => `${repair.image} ${repair.version}: ${phrase}`);
  });
}
