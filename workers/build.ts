import type { Platform } from '../src/domain/platform.ts';
import { runBuild } from '../src/flows/run.ts';
import { queueName } from '../src/queue/names.ts';
import { BuildPayload } from '../src/queue/payloads.ts';
import { createWorker, type QueueWorker } from '../src/queue/worker.ts';
import type { PartsOf, WorkerSettings } from './parts.ts';

/** Builds and smoke-tests one platform: as many side by side as the host can bear. */
export function startBuildWorker(
  platform: Platform,
  parts: PartsOf,
  settings: WorkerSettings & { concurrency: number; paused?: boolean },
): QueueWorker<BuildPayload> {
  return createWorker({
    ...settings,
    queue: queueName.build(platform),
    schema: BuildPayload,
    handle: (job, context) => parts(job, context.signal, ({ run }, signal) => runBuild(job, run, signal)),
  });
}
