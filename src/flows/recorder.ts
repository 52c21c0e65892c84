import { inputsDigest } from '../domain/inputs.ts';
import type { Platform } from '../domain/platform.ts';
import type { StepRecord } from '../domain/run.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { CycleObserver } from './cycle.ts';
import type { StepObserver } from './steps.ts';

/** Lines are sent to the ledger in batches of this many milliseconds. */
const FLUSH_MS = 500;

/** Writes what happens into the ledger, then tells the next observer. */
export function createRecorder(ledger: Ledger, next: StepObserver): StepObserver & { flush(): Promise<void> } {
  const pending = new Map<string, { runId: string; platform: Platform; lines: string[] }>();
  let timer: NodeJS.Timeout | undefined;
  const flush = async () => {
    clearTimeout(timer);
    timer = undefined;
    const batches = [...pending.values()];
    pending.clear();
    await Promise.all(batches.map(({ runId, platform, lines }) => ledger.appendLog(runId, platform, lines)));
  };
  return {
    async onStep(runId: string, step: StepRecord) {
      await ledger.recordStep(runId, step);
      if (step.state === 'failed') await flush();
      await next.onStep(runId, step);
    },
    onLog(runId, platform, line) {
      const batch = pending.get(`${runId} ${platform}`) ?? { runId, platform, lines: [] };
      batch.lines.push(line);
      pending.set(`${runId} ${platform}`, batch);
      timer ??= setTimeout(() => void flush().catch(() => {}), FLUSH_MS).unref(); // a lost log line fails no build
      next.onLog?.(runId, platform, line);
    },
    flush,
  };
}

/** Opens a run in the ledger before any worker can have it. */
export function recordStarts(ledger: Ledger, next: CycleObserver, now: () => Date): CycleObserver {
  return {
    ...next,
    async onStart(runId, entry) {
      const { image, reasons, holds, inputs } = entry;
      const platforms = inputs!.platforms;
      await ledger.startRun({
        id: runId,
        image,
        inputs: inputsDigest(inputs!),
        reasons,
        holds,
        platforms,
        startedAt: now().toISOString(),
        steps: [],
      });
      await next.onStart?.(runId, entry);
    },
  };
}
