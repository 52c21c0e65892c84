import { DelayedError, type Job, type Telemetry, UnrecoverableError, Worker } from 'bullmq';
import { z } from 'zod';
import { FactoryError } from '../domain/errors.ts';
import { handedBack, isHandedBack } from '../domain/handed-back.ts';
import { endsWithin } from '../lib/within.ts';
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

/** A job that runs in this process. */
export interface RunningJob<T> {
  readonly payload: T;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Ends it; the error is the reason of its signal. */
  cancel(reason: Error): void;
}

export interface QueueWorker<T = unknown> {
  /** Ends what is running, waits at most `graceMs`, then lets go. */
  close(graceMs?: number): Promise<void>;
  /** Takes nothing more and finishes what it has; what takes longer than `graceMs` goes back to the queue. */
  stop(graceMs: number): Promise<void>;
  /** Takes nothing more until it goes on; what runs goes on. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  running(): readonly RunningJob<T>[];
}

export interface WorkerRequest<T> {
  readonly redis: RedisAddress;
  readonly prefix: string;
  readonly queue: string;
  readonly concurrency: number;
  readonly schema: z.ZodType<T>;
  readonly handle: (payload: T, context: JobContext) => Promise<unknown>;
  readonly onError: (error: Error) => void;
  /** Takes nothing before `resume`. */
  readonly paused?: boolean;
  /** A job failed, for now or for good. */
  readonly onFailed?: (queue: string, error: Error, job?: FailedJob) => void;
  /** See tracing.ts. Absent: nothing is traced. */
  readonly telemetry?: Telemetry | undefined;
}

/** What a job was about, where it says so. */
export interface FailedJob {
  readonly run?: string;
  readonly image?: string;
  readonly platform?: string;
}

type Running<T> = Map<string, RunningJob<T>>;

/** How long a job that was handed back may take to end. */
const LET_GO_MS = 10_000;
/** For a Redis that is gone, too. */
const DISCONNECT_MS = 2_000;

/** A BullMQ worker whose payloads are checked, and whose errors say once whether a retry makes sense. */
export function createWorker<T>(request: WorkerRequest<T>): QueueWorker<T> {
  const { redis, prefix, queue, concurrency } = request;
  const running: Running<T> = new Map();
  const { paused = false } = request;
  const { telemetry } = request;
  const settings = { prefix, concurrency, autorun: !paused, ...WORKER_OPTIONS, ...(telemetry && { telemetry }) };
  const options = { connection: redisOptions(redis), ...settings };
  const worker = new Worker(queue, (job, token, signal) => process(job, { token, signal }, request, running), options);
  worker.on('error', request.onError);
  worker.on('failed', (job, error) => request.onFailed?.(queue, error, aboutJob(job)));
  // Somebody else has them: this process slept, or did not reach Redis.
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) running.get(id)?.cancel(handedBack('another worker has this job by now'));
  });
  return {
    close: (graceMs = 10_000) => closeWorker(worker, graceMs),
    stop: (graceMs) => stopWorker(worker, running, graceMs),
    pause: () => worker.pause(true),
    async resume() {
      if (!worker.isRunning()) void worker.run().catch(request.onError);
      else await worker.resume();
    },
    running: () => [...running.values()],
  };
}

const About = z.object({ runId: z.string(), image: z.string(), platform: z.string() }).partial();

function aboutJob(job: Job | undefined): FailedJob {
  const { runId, image, platform } = About.safeParse(job?.data).data ?? {};
  return { ...(runId && { run: runId }), ...(image && { image }), ...(platform && { platform }) };
}

interface Held {
  readonly token: string | undefined;
  readonly signal: AbortSignal | undefined;
}

async function process<T>(
  job: Job,
  { token, signal: outer }: Held,
  { schema, handle }: WorkerRequest<T>,
  running: Running<T>,
): Promise<unknown> {
  const payload = schema.safeParse(job.data);
  if (!payload.success) throw new UnrecoverableError(`a job of another version of ingot: ${payload.error.message}`);
  const own = new AbortController();
  const signal = outer === undefined ? own.signal : AbortSignal.any([own.signal, outer]);
  running.set(job.id!, { payload: payload.data, startedAt: Date.now(), cancel: (reason) => own.abort(reason) });
  try {
    return await handle(payload.data, contextOf(job, signal));
  } catch (error) {
    if (isHandedBack(signal)) return await giveBack(job, token);
    if (error instanceof FactoryError && error.retryable && !signal.aborted) throw error;
    throw new UnrecoverableError(error instanceof Error ? error.message : String(error));
  } finally {
    running.delete(job.id!);
  }
}

/** Back to its queue, as if it had never begun: that counts as no attempt. */
async function giveBack(job: Job, token: string | undefined): Promise<never> {
  await job.moveToDelayed(Date.now(), token);
  throw new DelayedError();
}

function contextOf(job: Job, signal: AbortSignal): JobContext {
  return {
    signal,
    lastAttempt: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
    failedChildren: () => job.getIgnoredChildrenFailures(),
  };
}

async function closeWorker(worker: Worker, graceMs: number): Promise<void> {
  worker.cancelAllJobs('the worker is stopping');
  await endWithin(worker, worker.close(), graceMs);
}

async function stopWorker<T>(worker: Worker, running: Running<T>, graceMs: number): Promise<void> {
  const closed = worker.close();
  if (await endsWithin(closed, graceMs)) return;
  for (const job of running.values()) job.cancel(handedBack('the worker is stopping'));
  await endWithin(worker, closed, running.size === 0 ? 0 : LET_GO_MS);
}

/**
 * `close(true)` behind a `close` that waits is the same wait without end (BullMQ 6.7, Worker#close). What does not let go
 * loses its connection instead: its locks run out, and others take its jobs.
 */
async function endWithin(worker: Worker, closed: Promise<void>, graceMs: number): Promise<void> {
  if (await endsWithin(closed, graceMs)) return;
  await endsWithin(
    worker.disconnect().catch(() => undefined),
    DISCONNECT_MS,
  );
}
