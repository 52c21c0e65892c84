import type { PlanDeps } from './gather.ts';
import { type RepairDeps, repairDamage } from './repair.ts';

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

/** Puts back what a release lacks before anything is planned: only what cannot be is a reason to build. */
export function repairBeforePlan(
  deps: RepairDeps,
  onRepair: (repair: CycleRepair) => void,
): NonNullable<PlanDeps['findDamage']> {
  return async (image, release, signal) => {
    const { missing, lost, unknown } = await repairDamage(image, release, deps, signal);
    if (missing.length === 0) return [];
    const restored = unknown === undefined ? missing.filter((what) => !lost.includes(what)) : [];
    onRepair({
      image: image.name,
      version: release.version,
      restored,
      lost,
      ...(unknown !== undefined && { unknown }),
    });
    return lost;
  };
}

/** What became of it, a phrase each. */
export function explainRepair({ restored, lost, unknown }: CycleRepair): string[] {
  return [
    ...(restored.length === 0 ? [] : [`put back ${restored.join(', ')}`]),
    ...(lost.length === 0 ? [] : [`lost ${lost.join(', ')}`]),
    ...(unknown === undefined ? [] : [`could not be repaired: ${unknown}`]),
  ];
}
