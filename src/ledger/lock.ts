import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { FactoryError } from '../domain/errors.ts';
import type { Lock, LockOptions } from './ledger.ts';

const POLL_MS = 40;
const FENCE_TTL_SECONDS = 400 * 24 * 3600;

/** The fence is token and order in one: who comes later has the greater one. */
const ACQUIRE = `
if redis.call('exists', KEYS[1]) == 1 then return 0 end
local fence = redis.call('incr', KEYS[2])
redis.call('expire', KEYS[2], ARGV[2])
redis.call('set', KEYS[1], fence, 'px', ARGV[1])
return fence`;

const RENEW = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('pexpire', KEYS[1], ARGV[2])`;

const RELEASE = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('del', KEYS[1])`;

/** Waits until nobody else has the lock. It is renewed until it is released; a process that stops loses it. */
export async function acquireLock(redis: Redis, key: string, options: LockOptions): Promise<Lock> {
  const { name, ttlMs, waitMs, signal } = options;
  const timeout = AbortSignal.timeout(waitMs);
  const ending = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  for (;;) {
    const asked = performance.now();
    const fence = await orAborted(redis.eval(ACQUIRE, 2, key, `${key}:fence`, ttlMs, FENCE_TTL_SECONDS), ending, name);
    if (Number(fence) > 0) return hold(redis, key, Number(fence), ttlMs, asked + ttlMs);
    await orAborted(wait(POLL_MS, undefined, { signal: ending }), ending, name);
  }
}

/** @param until by this process's monotonic clock, counted from before it asked: never later than Redis says */
function hold(redis: Redis, key: string, fence: number, ttlMs: number, until: number): Lock {
  let end = until;
  const renew = async () => {
    const asked = performance.now();
    if (Number(await redis.eval(RENEW, 1, key, fence, ttlMs)) === 1) end = asked + ttlMs;
  };
  // One that failed shows in isHeld
  const timer = setInterval(() => void renew().catch(() => undefined), ttlMs / 3).unref();
  return {
    fence,
    isHeld: () => performance.now() < end,
    async release() {
      clearInterval(timer);
      end = 0;
      const released = redis.eval(RELEASE, 1, key, fence).catch(() => undefined);
      await Promise.race([released, wait(ttlMs, undefined, { ref: false })]); // by then it has expired
    },
  };
}

/** Redis commands wait for ever for a Redis that is gone; people do not. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal, name: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(lockError(signal, name));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) throw lockError(signal, name);
    return await Promise.race([work, promise]);
  } catch (error) {
    throw signal.aborted ? lockError(signal, name) : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function lockError(signal: AbortSignal, name: string): FactoryError {
  const isLate = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
  if (!isLate) return new FactoryError('cancelled', { code: 'cancelled', cause: signal.reason });
  return new FactoryError(`another ingot works on ${name} and does not come to an end; try again later`, {
    code: 'timed-out',
    retryable: true,
  });
}
