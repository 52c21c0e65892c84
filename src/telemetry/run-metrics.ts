import type { ProcessMetrics } from './metrics.ts';
import { changeToReleaseSeconds, namingReason, runSeconds, stepSeconds } from './run-times.ts';
import type { LedgerWatcher } from './watched-ledger.ts';

/** Counts runs and steps in the process that ends them. */
export function countRuns({
  runs,
  runSeconds: seconds,
  stepSeconds: steps,
  changeToRelease,
}: ProcessMetrics): LedgerWatcher {
  return {
    step(_, step) {
      const took = stepSeconds(step);
      if (took !== undefined) {
        steps.observe({ step: step.name, platform: step.platform ?? '', result: step.state }, took);
      }
    },
    ended(run) {
      const { image, outcome, endedAt } = run;
      if (outcome === undefined) return;
      runs.inc({ outcome, reason: namingReason(run), image });
      const took = runSeconds(run, endedAt);
      if (took !== undefined) seconds.observe({ outcome }, took);
      const fresh = outcome === 'released' && endedAt ? changeToReleaseSeconds(run, endedAt) : undefined;
      if (fresh !== undefined) changeToRelease.observe(fresh);
    },
  };
}
