import type { App } from '../compose.ts';
import { finishMoves } from '../flows/channel-moves.ts';
import { type CycleResult, runCycle } from '../flows/cycle.ts';
import { findDamage } from '../flows/damage.ts';
import type { PlanDeps } from '../flows/gather.ts';
import { repairDamage } from '../flows/repair.ts';
import { replicateAll } from '../flows/replicate.ts';
import { moveStages } from '../flows/stages.ts';
import { stageDeps } from './channels.ts';
import type { View } from './live/view.ts';
import { repairDeps } from './repair.ts';
import { replicateDeps } from './replicate.ts';

/** What a release in use lacked in the registry, and what became of that. */
export interface CycleRepair {
  readonly image: string;
  readonly version: string;
  readonly restored: readonly string[];
  /** What could not be put back: the image is released anew for it. */
  readonly lost: readonly string[];
  /** Why nothing is known of what could be. */
  readonly unknown?: string;
}

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
      findDamage: repairing(app, (repair) => repairs.push(repair)),
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
    return { ...result, repairs };
  } finally {
    await session.close();
  }
}

/** Puts back what a release lacks before anything is planned: only what cannot be is a reason to build. */
function repairing(app: App, onRepair: (repair: CycleRepair) => void): NonNullable<PlanDeps['findDamage']> {
  const deps = repairDeps(app);
  return async (image, release, signal) => {
    const missing = await findDamage(app.places.release(image.name), release, deps, signal);
    if (missing.length === 0) return [];
    const { lost, unknown } = await repairDamage(image, release, deps, signal);
    const restored = unknown === undefined ? missing.filter((what) => !lost.includes(what)) : [];
    onRepair({ image: image.name, version: release.version, restored, lost, ...(unknown && { unknown }) });
    return lost;
  };
}

/** One line for each image that lacked something. */
export function repairLines(repairs: readonly CycleRepair[]): string[] {
  return repairs.flatMap(({ image, version, restored, lost, unknown }) => [
    ...(restored.length === 0 ? [] : [`${image} ${version}: put back ${restored.join(', ')}`]),
    ...(lost.length === 0 ? [] : [`${image} ${version}: lost ${lost.join(', ')}`]),
    ...(unknown === undefined ? [] : [`${image} ${version}: could not be repaired: ${unknown}`]),
  ]);
}
