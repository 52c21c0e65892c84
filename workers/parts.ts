import type { Digest } from '../src/domain/digest.ts';
import type { RunDeps } from '../src/flows/run.ts';
import type { ProposeEnd, RunEnd } from '../src/queue/dispatcher.ts';
import type { WorkerRequest } from '../src/queue/worker.ts';

/** What every worker is started with. */
export type WorkerSettings = Pick<WorkerRequest<unknown>, 'redis' | 'prefix' | 'onError' | 'onFailed' | 'telemetry'>;

/** The factory as jobs use it, put together for the definitions that they are made from. */
export interface JobParts {
  readonly run: RunDeps;
  readonly propose: (image: string, signal: AbortSignal) => Promise<ProposeEnd>;
  /** Told of each run's end, before its job goes. */
  readonly ended?: (end: RunEnd) => Promise<void>;
}

/** A job as it names its definitions; absent in jobs of the version before: those that the worker has. */
export interface DefinedJob {
  readonly definitions?: Digest | undefined;
  readonly runId?: string | undefined;
  readonly image: string;
}

/** Gives a job what it needs, and takes it back when the job has ended. The signal that it gives ends the job sooner. */
export type PartsOf = <T>(
  job: DefinedJob,
  signal: AbortSignal,
  use: (parts: JobParts, signal: AbortSignal) => Promise<T>,
) => Promise<T>;
