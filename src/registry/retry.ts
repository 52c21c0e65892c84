import { FactoryError } from '../domain/errors.ts';
import { RegistryError } from './registry.ts';

export interface RetryOptions {
  /** All tries, the first included. */
  readonly attempts: number;
  /** Milliseconds; who is told to wait longer does not wait at all. */
  readonly maxWaitMs: number;
  /** Between 0 and 1. */
  readonly random: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export type Retry = <T>(work: () => Promise<T>, signal?: AbortSignal | undefined) => Promise<T>;

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/** Repeats what failed with a retryable error: after the time that the registry asks for, else after a growing one. */
export function createRetry({ attempts, maxWaitMs, random, sleep }: RetryOptions): Retry {
  return async (work, signal) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const wait = waitAfter(error, attempt, random);
        if (wait === undefined || wait > maxWaitMs || attempt >= attempts || signal?.aborted) throw error;
        await sleep(wait, signal).catch((cause: unknown) => {
          throw signal?.aborted ? cancelled(error, cause) : cause;
        });
      }
    }
  };
}

/** Jitter keeps processes apart that were refused together, also when the registry named the time. */
function waitAfter(error: unknown, attempt: number, random: () => number): number | undefined {
  if (!(error instanceof FactoryError) || !error.retryable) return undefined;
  const asked = error.details.retryAfterMs;
  if (typeof asked === 'number') return asked + random() * FIRST_WAIT_MS;
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  return longest / 2 + (random() * longest) / 2;
}

function cancelled(failure: unknown, cause: unknown): RegistryError {
  return new RegistryError(`${(failure as Error).message}; cancelled while waiting to try again`, {
    code: 'cancelled',
    cause,
  });
}
