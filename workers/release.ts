import { runRelease } from '../src/flows/run.ts';
import { queueName } from '../src/queue/names.ts';
import { ReleasePayload } from '../src/queue/payloads.ts';
import { createWorker, type QueueWorker } from '../src/queue/worker.ts';
import type { PartsOf, WorkerSettings } from './parts.ts';

/** Turns built platforms into releases. */
export function startReleaseWorker(
  parts: PartsOf,
  settings: WorkerSettings & { concurrency: number },
): QueueWorker<ReleasePayload> {
  return createWorker({
    ...settings,
    queue: queueName.release,
    schema: ReleasePayload,
    handle: (job, { signal: outer, lastAttempt, failedChildren }) =>
      parts(job, outer, async ({ run, ended }, signal) => {
        const failedPlatforms = Object.values(await failedChildren());
        const end = await runRelease(job, run, { signal, failedPlatforms, mayRetry: !lastAttempt });
        await ended?.(end);
        return end;
      }),
  });
}
