import type { ProposeEnd } from '../src/queue/dispatcher.ts';
import { queueName } from '../src/queue/names.ts';
import { ProposePayload } from '../src/queue/payloads.ts';
import { createWorker, type QueueWorker } from '../src/queue/worker.ts';
import type { WorkerSettings } from './build.ts';

/** Looks at the downstreams of one image at a time, so that a branch has one writer. */
export function startProposeWorker(
  propose: (image: string, signal: AbortSignal) => Promise<ProposeEnd>,
  settings: WorkerSettings,
): QueueWorker {
  return createWorker({
    ...settings,
    queue: queueName.propose,
    concurrency: 1,
    schema: ProposePayload,
    handle: ({ image }, { signal }) => propose(image, signal),
  });
}
