import { queueName } from '../src/queue/names.ts';
import { ProposePayload } from '../src/queue/payloads.ts';
import { createWorker, type QueueWorker } from '../src/queue/worker.ts';
import type { PartsOf, WorkerSettings } from './parts.ts';

/** Looks at the downstreams of one image at a time, so that a branch has one writer. */
export function startProposeWorker(parts: PartsOf, settings: WorkerSettings): QueueWorker<ProposePayload> {
  return createWorker({
    ...settings,
    queue: queueName.propose,
    concurrency: 1,
    schema: ProposePayload,
    handle: (job, context) => parts(job, context.signal, ({ propose }, signal) => propose(job.image, signal)),
  });
}
