import type { HttpHeaders } from '../lib/http.ts';

/** Milliseconds to wait, from `Retry-After` in seconds or as a date (RFC 9110, 10.2.3). */
export function retryAfterMs(headers: HttpHeaders, now: number): number | undefined {
  const value = headers['retry-after'];
  if (typeof value !== 'string') return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
