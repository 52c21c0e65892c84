import pLimit, { type LimitFunction } from 'p-limit';
import { ANONYMOUS, type Budget, type Spending } from '../lib/budget.ts';
import type { HttpHeaders } from '../lib/http.ts';
import { RegistryError } from './registry.ts';
import { retryAfterMs } from './retry-after.ts';

export interface BudgetOptions {
  readonly concurrency: number;
  /** Milliseconds; a pause that is longer is an error at once. */
  readonly maxWaitMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

interface Account {
  /** Nothing is sent before. */
  pausedUntil: number;
  /** No pull that counts is sent before. */
  spentUntil: number;
}

/** Pause after a 429 that does not say how long. */
const PAUSE_MS = 2_000;
/** The window of Docker Hub slides over hours: one try a minute finds the moment when it has room again. */
const SPENT_MS = 60_000;

/** A budget for this process alone. */
export function createBudget(options: BudgetOptions): Budget {
  const limits = new Map<string, LimitFunction>();
  const accounts = new Map<string, Account>();
  return {
    async spend(use, send) {
      const limit = limits.get(use.host) ?? pLimit(options.concurrency);
      limits.set(use.host, limit);
      const name = `${use.host} ${use.identity ?? ANONYMOUS}`;
      const account = accounts.get(name) ?? { pausedUntil: 0, spentUntil: 0 };
      accounts.set(name, account);
      return limit(async () => {
        await waitFor(account, use, options);
        const answer = await send();
        learn(account, answer, options.now());
        return answer;
      });
    },
  };
}

async function waitFor(account: Account, { host, counted, signal }: Spending, options: BudgetOptions): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const until = Math.max(account.pausedUntil, counted ? account.spentUntil : 0);
    const wait = until - options.now();
    if (wait <= 0) return;
    if (wait > options.maxWaitMs) throw overBudget(host, until, wait);
    await options.sleep(wait, signal);
  }
}

function overBudget(name: string, until: number, wait: number): RegistryError {
  const time = new Date(until).toISOString();
  return new RegistryError(
    `${name} allows no more requests before ${time}; log in there for a higher limit, or name a mirror in ingot.yaml`,
    { code: 'rate-limited', retryable: true, details: { retryAfterMs: wait } },
  );
}

function learn(account: Account, { status, headers }: { status: number; headers: HttpHeaders }, now: number): void {
  if (status === 429)
    account.pausedUntil = Math.max(account.pausedUntil, now + (retryAfterMs(headers, now) ?? PAUSE_MS));
  const remaining = headers['ratelimit-remaining'];
  if (typeof remaining !== 'string') return;
  account.spentUntil = Number.parseInt(remaining, 10) === 0 ? now + SPENT_MS : 0;
}
