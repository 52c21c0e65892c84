import { formatMinute } from './calendar.ts';
import { FactoryError } from './errors.ts';

/** How fast a forge lets one account write. */
export interface WriteLimits {
  readonly perMinute?: number | undefined;
  readonly perHour?: number | undefined;
  /** Milliseconds between two writes. */
  readonly apartMs?: number | undefined;
}

/** "no more than 80 content-generating requests per minute and 500 per hour", a second apart (GitHub docs: Rate limits for the REST API, Best practices). */
export const GITHUB_LIMITS: WriteLimits = { perMinute: 80, perHour: 500, apartMs: 1_000 };

const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
/** What is not urgent leaves the rest of an hour to what is. */
const ORDINARY_SHARE = 0.8;

export interface TurnRequest {
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly urgent?: boolean | undefined;
}

/**
 * The earliest times at which so many more writes may go.
 * @param earlier times of writes, in order; those that are promised and still to come as well
 */
export function nextTurns(
  earlier: readonly number[],
  limits: WriteLimits,
  { count, now, urgent = false }: TurnRequest,
): readonly number[] {
  const { perMinute, apartMs = 0 } = limits;
  const perHour =
    limits.perHour && (urgent ? limits.perHour : Math.max(1, Math.floor(limits.perHour * ORDINARY_SHARE)));
  const all = [...earlier];
  const after = (back: number | undefined, ms: number) => (back === undefined ? now : (all.at(-back) ?? -ms) + ms);
  for (let left = count; left > 0; left--) {
    all.push(Math.max(now, after(1, apartMs), after(perMinute, MINUTE_MS), after(perHour, HOUR_MS)));
  }
  return all.slice(earlier.length);
}

/** What still counts of earlier writes. */
export function withinHour(times: readonly number[], now: number): readonly number[] {
  return times.filter((time) => time > now - HOUR_MS);
}

/** What is said to who would have to wait for too long. Times are milliseconds since the epoch. */
export function pacedError(host: string, { after, now }: { after: number; now: number }): FactoryError<'rate-limited'> {
  return new FactoryError(
    `${host} takes no more writes before ${formatMinute(new Date(after).toISOString())}; the next look goes on`,
    { code: 'rate-limited', retryable: true, details: { retryAfterMs: after - now, writesAfter: after } },
  );
}

/** When a forge takes more writes, for an error of `pacedError`; `undefined` for others. */
export function pacedUntil(error: unknown): number | undefined {
  if (!(error instanceof FactoryError) || error.code !== 'rate-limited') return undefined;
  const until = error.details.writesAfter;
  return typeof until === 'number' ? until : undefined;
}

/** `312 pull requests at github.com, until about 2026-12-24 23:40 UTC`. */
export function explainPace({ host, count, until }: { host: string; count: number; until: number }): string {
  const what = count === 1 ? '1 pull request' : `${count} pull requests`;
  return `${what} at ${host}, until about ${formatMinute(new Date(until).toISOString())}`;
}
