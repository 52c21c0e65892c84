import type { Platform } from '../src/domain/platform.ts';
import { type RunDeps, runBuild } from '../src/flows/run.ts';
import { queueName } from '../src/queue/names.ts';
import { BuildPayload } from '../src/queue/payloads.ts';
import { createWorker, type QueueWorker, type WorkerRequest } from '../src/queue/worker.ts';

/** What every worker is started with. */
export type WorkerSettings = Pick<WorkerRequest<unknown>, 'redis' | 'prefix' | 'onError'>;

/** Builds and smoke-tests one platform: as many side by side as the host can bear. */
export function startBuildWorker(
  platform: Platform,
  deps: RunDeps,
  settings: WorkerSettings & { concurrency: number },
): QueueWorker {
  return createWorker({
    ...settings,
    queue: queueName.build(platform),
    schema: BuildPayload,
    handle: (job, { signal }) => runBuild(job, deps, signal),
  });
}
