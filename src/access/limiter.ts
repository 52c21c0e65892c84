/** A bucket of tokens for each name: so many at once, refilled evenly. */
export interface Limiter {
  /** Takes one. `resetSeconds`: until there is one again. */
  take(name: string): { readonly allowed: boolean; readonly remaining: number; readonly resetSeconds: number };
  readonly limit: number;
}

/** Beyond it the fullest are forgotten: who has been quiet for a minute has a full one anyway. */
const MAX_NAMES = 10_000;

export function createLimiter({
  perMinute,
  now,
}: {
  readonly perMinute: number;
  /** Milliseconds. */
  readonly now: () => number;
}): Limiter {
  const buckets = new Map<string, { left: number; at: number }>();
  const rate = perMinute / 60_000;
  return {
    limit: perMinute,
    take(name) {
      const at = now();
      const before = buckets.get(name) ?? { left: perMinute, at };
      const left = Math.min(perMinute, before.left + (at - before.at) * rate);
      const allowed = left >= 1;
      const after = allowed ? left - 1 : left;
      buckets.delete(name);
      buckets.set(name, { left: after, at });
      if (buckets.size > MAX_NAMES) for (const [oldest] of buckets) if (buckets.delete(oldest)) break;
      const resetSeconds = Math.max(0, Math.ceil((1 - after) / rate / 1000));
      return { allowed, remaining: Math.floor(after), resetSeconds };
    },
  };
}
