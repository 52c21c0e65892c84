import type { Run, StepRecord } from '../domain/run.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Told of what was written down. What it makes of it harms no run. */
export interface LedgerWatcher {
  /** A step began, ended or was found done. */
  step?(runId: string, step: StepRecord): void;
  /** Once for each run, as it is known by then. */
  ended?(run: Run): void;
}

/** Every run is written into the ledger, whoever ends it: what is counted and traced of runs is seen here. */
export function watchLedger<T extends Ledger>(ledger: T, watchers: readonly LedgerWatcher[]): T {
  return {
    ...ledger,
    async recordStep(runId, step) {
      await ledger.recordStep(runId, step);
      for (const watcher of watchers) watcher.step?.(runId, step);
    },
    async finishRun(runId, end) {
      const before = await ledger.run(runId).catch(() => undefined);
      await ledger.finishRun(runId, end);
      // A job that was killed after it wrote this writes it again
      if (before === undefined || before.outcome !== undefined) return;
      for (const watcher of watchers) watcher.ended?.({ ...before, ...end });
    },
  };
}
