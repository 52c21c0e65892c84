import type { AccessStore } from '../ledger/access.ts';

/** A bucket of tokens for each name: so many at once, refilled evenly. */
export interface Limiter {
  /** Takes one. `resetSeconds`: until there is one again. */
  take(name: string): Promise<Taken>;
  readonly limit: number;
}

interface Taken {
  readonly allowed: boolean;
  readonly remaining: number;
  readonly resetSeconds: number;
}

/** Beyond it the fullest are forgotten: who has been quiet for a minute has a full one anyway. */
const MAX_NAMES = 10_000;

/** Counted by all processes together; as long as their store does not answer, by each for itself. */
export function createLimiter({
  bucket,
  perMinute,
  store,
  now,
}: {
  /** Tells the limits of different things apart. */
  readonly bucket: string;
  readonly perMinute: number;
  readonly store: Pick<AccessStore, 'take'>;
  /** Milliseconds. */
  readonly now: () => number;
}): Limiter {
  const own = createOwnBuckets(perMinute, now);
  return {
    limit: perMinute,
    async take(name) {
      const { allowed, left } = await store.take(bucket, name, perMinute).catch(() => own(name));
      const resetSeconds = Math.max(0, Math.ceil(((1 - left) / perMinute) * 60));
      return { allowed, remaining: Math.floor(left), resetSeconds };
    },
  };
}

function createOwnBuckets(perMinute: number, now: () => number) {
  const buckets = new Map<string, { left: number; at: number }>();
  return (name: string) => {
    const at = now();
    const before = buckets.get(name) ?? { left: perMinute, at };
    const there = Math.min(perMinute, before.left + ((at - before.at) * perMinute) / 60_000);
    const allowed = there >= 1;
    const left = allowed ? there - 1 : there;
    buckets.delete(name);
    buckets.set(name, { left, at });
    if (buckets.size > MAX_NAMES) for (const [oldest] of buckets) if (buckets.delete(oldest)) break;
    return { allowed, left };
  };
}
