import { explainHold, explainReason } from '../domain/reasons.ts';
import type { ImageView, RebuildAnswer } from '../domain/service/views.ts';
import type { Hold, Reason } from '../domain/staleness.ts';

interface Decided {
  readonly reasons: readonly Reason[];
  readonly holds: readonly Hold[];
}

/** Facts for programs, and beside them the words for people. */
export function worded<T extends Decided>(decided: T) {
  return {
    ...decided,
    reasons: decided.reasons.map((reason) => ({ ...reason, text: explainReason(reason) })),
    holds: decided.holds.map((hold) => ({ ...hold, text: explainHold(hold) })),
  };
}

export function wordedImage(image: ImageView) {
  return { ...worded(image), ...(image.lastRun && { lastRun: worded(image.lastRun) }) };
}

export function wordedRebuild({ runs, plan }: RebuildAnswer) {
  return { runs: runs.map(worded), ...(plan && { plan: plan.map(worded) }) };
}
