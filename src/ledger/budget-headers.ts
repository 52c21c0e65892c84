import { type HttpHeaders, headerOf } from '../lib/http.ts';

/** What an answer says of what a host allows. Times are milliseconds since the epoch. */
export interface Learnt {
  readonly at: number;
  readonly limit?: number;
  readonly remaining?: number;
  readonly windowMs?: number;
  readonly pausedUntil?: number;
  readonly why?: string;
}

/** After a refusal that does not say how long. */
const PAUSE_MS = 2_000;
/** GitHub asks for a minute at least after its secondary limits, whose answers often say nothing. */
const ABUSE_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 6 * 3600_000;

/**
 * `ratelimit-limit: 100;w=21600` (Docker Hub, draft-ietf-httpapi-ratelimit-headers), `x-ratelimit-*` with
 * `x-ratelimit-reset` in seconds since the epoch (GitHub, Gitea), `ratelimit-reset` (GitLab), `retry-after`.
 */
export function learnFrom(status: number, headers: HttpHeaders, now: number): Learnt | undefined {
  const limit = amountIn(headers, 'limit');
  const remaining = amountIn(headers, 'remaining');
  const resetAt = resetIn(headers, now);
  const windowMs = windowIn(headers);
  const pause = pauseOf(status, headers, { remaining: remaining?.amount, resetAt, now });
  if (remaining === undefined && pause === undefined) return undefined;
  return {
    at: now,
    ...(limit && { limit: limit.amount }),
    ...(remaining && { remaining: remaining.amount }),
    ...(windowMs !== undefined && { windowMs }),
    ...(pause && { pausedUntil: Math.min(pause.until, now + LONGEST_PAUSE_MS), why: pause.why }),
  };
}

function amountIn(headers: HttpHeaders, what: 'limit' | 'remaining'): { amount: number } | undefined {
  const text = headerOf(headers, `ratelimit-${what}`) ?? headerOf(headers, `x-ratelimit-${what}`);
  const amount = Number.parseInt(text ?? '', 10);
  return Number.isNaN(amount) ? undefined : { amount };
}

function windowIn(headers: HttpHeaders): number | undefined {
  const text = headerOf(headers, 'ratelimit-limit') ?? headerOf(headers, 'ratelimit-remaining') ?? '';
  const seconds = Number.parseInt(/;\s*w=(\d+)/.exec(text)?.[1] ?? '', 10);
  return Number.isNaN(seconds) ? undefined : seconds * 1000;
}

function resetIn(headers: HttpHeaders, now: number): number | undefined {
  const seconds = Number.parseInt(
    headerOf(headers, 'x-ratelimit-reset') ?? headerOf(headers, 'ratelimit-reset') ?? '',
    10,
  );
  if (Number.isNaN(seconds)) return undefined;
  // Seconds from now, or since the epoch: no host makes anybody wait for thirty years
  return seconds < 1_000_000_000 ? now + seconds * 1000 : seconds * 1000;
}

interface Asked {
  readonly remaining: number | undefined;
  readonly resetAt: number | undefined;
  readonly now: number;
}

function pauseOf(status: number, headers: HttpHeaders, { remaining, resetAt, now }: Asked) {
  const asked = retryAfter(headers, now);
  if (status === 429) return { until: asked ?? resetAt ?? now + PAUSE_MS, why: 'it answered 429' };
  if (status === 403 && asked !== undefined) return { until: asked, why: 'it took our requests for abuse' };
  if (status === 403 && remaining === 0) {
    return { until: resetAt ?? now + ABUSE_PAUSE_MS, why: 'its limit is used up' };
  }
  if (status === 503 && asked !== undefined) return { until: asked, why: 'it is not available' };
  const isSpent = remaining === 0 && resetAt !== undefined && resetAt > now;
  return isSpent ? { until: resetAt, why: 'its limit is used up' } : undefined;
}

function retryAfter(headers: HttpHeaders, now: number): number | undefined {
  const text = headerOf(headers, 'retry-after');
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return now + Math.max(0, seconds) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : date;
}
