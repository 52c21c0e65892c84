import { type Job, UnrecoverableError, Worker } from 'bullmq';
import type { z } from 'zod';
import { FactoryError } from '../domain/errors.ts';
import { type RedisAddress, redisOptions } from './connection.ts';
import { WORKER_OPTIONS } from './options.ts';

/** What a handler learns besides its payload. */
export interface JobContext {
  readonly signal: AbortSignal;
  /** True when a failure now is for good. */
  readonly lastAttempt: boolean;
  /** Messages of the platform jobs that failed, by job key; empty for jobs without children. */
  failedChildren(): Promise<Readonly<Record<string, string>>>;
}

export interface QueueWorker {
  /** Ends what is running, waits at most `graceMs`, then lets go. */
  close(graceMs?: number): Promise<void>;
}

export interface WorkerRequest<T> {
  readonly redis: RedisAddress;
  readonly prefix: string;
  readonly queue: string;
  readonly concurrency: number;
  readonly schema: z.ZodType<T>;
  readonly handle: (payload: T, context: JobContext) => Promise<unknown>;
  readonly onError: (error: Error) => void;
}

/** A BullMQ worker whose payloads are checked, and whose errors say once whether a retry makes sense. */
export function createWorker<T>(request: WorkerRequest<T>): QueueWorker {
  const { redis, prefix, queue, concurrency } = request;
  const options = { connection: redisOptions(redis), prefix, concurrency, ...WORKER_OPTIONS };
  const worker = new Worker(queue, (job, _token, signal) => process(job, signal, request), options);
  worker.on('error', request.onError);
  return { close: (graceMs = 10_000) => closeWorker(worker, graceMs) };
}

async function process<T>(
  job: Job,
  signal: AbortSignal | undefined,
  { schema, handle }: WorkerRequest<T>,
): Promise<unknown> {
  const payload = schema.safeParse(job.data);
  if (!payload.success) throw new UnrecoverableError(`a job of another version of ingot: ${payload.error.message}`);
  try {
    return await handle(payload.data, contextOf(job, signal));
  } catch (error) {
    if (error instanceof FactoryError && error.retryable && !signal?.aborted) throw error;
    throw new UnrecoverableError(error instanceof Error ? error.message : String(error));
  }
}

function contextOf(job: Job, signal: AbortSignal | undefined): JobContext {
  return {
    signal: signal ?? new AbortController().signal,
    lastAttempt: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
    failedChildren: () => job.getIgnoredChildrenFailures(),
  };
}

async function closeWorker(worker: Worker, graceMs: number): Promise<void> {
  worker.cancelAllJobs('the worker is stopping');
  const closed = worker.close();
  const waited = await Promise.race([
    closed.then(() => true),
    new Promise<false>((done) => setTimeout(done, graceMs, false).unref()),
  ]);
  if (!waited) await worker.close(true);
}
