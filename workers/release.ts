import { type RunDeps, runRelease } from '../src/flows/run.ts';
import { queueName } from '../src/queue/names.ts';
import { ReleasePayload } from '../src/queue/payloads.ts';
import { createWorker, type QueueWorker } from '../src/queue/worker.ts';
import type { WorkerSettings } from './build.ts';

/** Turns built platforms into releases. */
export function startReleaseWorker(deps: RunDeps, settings: WorkerSettings & { concurrency: number }): QueueWorker {
  return createWorker({
    ...settings,
    queue: queueName.release,
    schema: ReleasePayload,
    async handle(run, { signal, lastAttempt, failedChildren }) {
      const failedPlatforms = Object.values(await failedChildren());
      return runRelease(run, deps, { signal, failedPlatforms, mayRetry: !lastAttempt });
    },
  });
}
