import type { Digest } from '../digest.ts';

/** What is decided of one thing that a registry holds, as people see it. */
export interface PruneDecision {
  /** A version, a candidate, a mirrored digest. */
  readonly name: string;
  /** The manifests by which it is held: an index, or the platforms of a candidate, with its evidence. */
  readonly roots: readonly Digest[];
  readonly goes: boolean;
  /** Why it stays; or why it goes. Clauses without a full stop. */
  readonly why: readonly string[];
}

const DAY_MS = 86_400_000;

/** Whole days since then. */
export function daysSince(time: string, now: string): number {
  return Math.floor((Date.parse(now) - Date.parse(time)) / DAY_MS);
}

/** `1 day`, `14 days`. */
export function days(count: number): string {
  return `${count} ${count === 1 ? 'day' : 'days'}`;
}

export function daysOf(seconds: number): string {
  return days(Math.round(seconds / 86_400));
}

export function isOlderThan(time: string, seconds: number, now: string): boolean {
  return Date.parse(now) - Date.parse(time) > seconds * 1000;
}

/** It goes unless something speaks for it. */
export function decide(
  name: string,
  roots: readonly Digest[],
  { stays, else: why }: { readonly stays: readonly string[]; readonly else: string },
): PruneDecision {
  return stays.length > 0 ? { name, roots, goes: false, why: stays } : { name, roots, goes: true, why: [why] };
}
