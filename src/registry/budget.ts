import pLimit, { type LimitFunction } from 'p-limit';
import type { Budget, Spending } from '../lib/budget.ts';
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

interface Host {
  readonly limit: LimitFunction;
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
  const hosts = new Map<string, Host>();
  return {
    async spend(use, send) {
      const host = hosts.get(use.host) ?? { limit: pLimit(options.concurrency), pausedUntil: 0, spentUntil: 0 };
      hosts.set(use.host, host);
      return host.limit(async () => {
        await waitFor(host, use, options);
        const answer = await send();
        learn(host, answer, options.now());
        return answer;
      });
    },
  };
}

async function waitFor(host: Host, { host: name, counted, signal }: Spending, options: BudgetOptions): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const until = Math.max(host.pausedUntil, counted ? host.spentUntil : 0);
    const wait = until - options.now();
    if (wait <= 0) return;
    if (wait > options.maxWaitMs) throw overBudget(name, until, wait);
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

function learn(host: Host, { status, headers }: { status: number; headers: HttpHeaders }, now: number): void {
  if (status === 429) host.pausedUntil = Math.max(host.pausedUntil, now + (retryAfterMs(headers, now) ?? PAUSE_MS));
  const remaining = headers['ratelimit-remaining'];
  if (typeof remaining !== 'string') return;
  host.spentUntil = Number.parseInt(remaining, 10) === 0 ? now + SPENT_MS : 0;
}
