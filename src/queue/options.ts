import type { DefaultJobOptions, WorkerOptions } from 'bullmq';

/** Finished jobs leave at once: the ledger keeps the history, and a kept id would swallow the next run (facts/queue.md 4). */
export const JOB_OPTIONS = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 2_000, jitter: 0.5 },
  removeOnComplete: true,
  removeOnFail: true,
  sizeLimit: 256 * 1024,
} as const satisfies DefaultJobOptions;

/** One set for all workers of a queue: a stalled job is taken over in about 15 s instead of 60 (decisions 12). */
export const WORKER_OPTIONS = {
  lockDuration: 15_000,
  stalledInterval: 10_000,
  maxStalledCount: 20,
  maxStartedAttempts: 25,
  drainDelay: 5,
} as const satisfies Partial<WorkerOptions>;

/** Schedules only ask for work: nothing is more urgent. */
export const PRIORITY_OF_SCHEDULES = 1;
