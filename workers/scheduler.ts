import type { z } from 'zod';
import { queueName } from '../src/queue/names.ts';
import { LookPayload, SchedulePayload } from '../src/queue/payloads.ts';
import { createWorker, type QueueWorker } from '../src/queue/worker.ts';
import type { WorkerSettings } from './parts.ts';

/** What a process does that plans. Each answers when it is done, and does no harm when it is done twice. */
export interface SchedulerWork {
  look(signal: AbortSignal): Promise<unknown>;
  follow(signal: AbortSignal): Promise<unknown>;
  /** A schedule that is due. */
  due(name: string, signal: AbortSignal): Promise<unknown>;
}

/** Any number of processes may plan: of each kind of work one is done at a time, by whoever is there. */
export function startSchedulerWorkers(work: SchedulerWork, settings: WorkerSettings): readonly QueueWorker[] {
  const looking = { schema: LookPayload as z.ZodType<unknown>, concurrency: 1 };
  return [
    createWorker({ ...settings, ...looking, queue: queueName.plan, handle: (_, { signal }) => work.look(signal) }),
    createWorker({ ...settings, ...looking, queue: queueName.follow, handle: (_, { signal }) => work.follow(signal) }),
    createWorker({
      ...settings,
      queue: queueName.schedules,
      concurrency: 2,
      schema: SchedulePayload,
      handle: ({ name }, { signal }) => work.due(name, signal),
    }) as QueueWorker,
  ];
}
