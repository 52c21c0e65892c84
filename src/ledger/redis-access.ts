import { createHash } from 'node:crypto';
import { Redis, type RedisOptions } from 'ioredis';
import { FactoryError } from '../domain/errors.ts';
import type { AccessStore } from './access.ts';
import { closeRedis } from './close-redis.ts';

/** A request of a person waits for it. */
const ANSWER_MS = 2_000;
/** A bucket that nobody asked for so long is full. */
const FULL_MS = 61_000;

/** ARGV: now, how many a minute. Fractions come back as text: Redis would cut them off. */
const TAKE = `
local b = redis.call('hmget', KEYS[1], 'left', 'at')
local most, now = tonumber(ARGV[2]), tonumber(ARGV[1])
local at = tonumber(b[2] or '') or now
local left = math.min(most, (tonumber(b[1] or '') or most) + math.max(0, now - at) * most / 60000)
local allowed = 0
if left >= 1 then left = left - 1; allowed = 1 end
redis.call('hset', KEYS[1], 'left', tostring(left), 'at', math.max(at, now))
redis.call('pexpire', KEYS[1], ARGV[3])
return { allowed, tostring(left) }`;

export function createRedisAccess(options: {
  readonly connection: RedisOptions;
  readonly prefix: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}): AccessStore {
  const redis = new Redis({ ...options.connection, maxRetriesPerRequest: 1, commandTimeout: ANSWER_MS });
  redis.on('error', () => {}); // ioredis reconnects by itself; a failed command says so to its caller
  const key = (...parts: string[]) => [options.prefix, 'access', ...parts].join(':');
  const sessionKey = key('session-key');
  return {
    sessionKey: (fresh) =>
      asked(async () => {
        const found = await redis.getBuffer(sessionKey);
        if (found !== null) return found;
        await redis.set(sessionKey, Buffer.from(fresh), 'NX');
        return (await redis.getBuffer(sessionKey)) ?? fresh;
      }),
    endSession: (id, ttlMs) => asked(async () => void (await redis.set(key('ended', id), '', 'PX', ttlMs))),
    isSessionEnded: (id) => asked(async () => (await redis.exists(key('ended', id))) === 1),
    putCode: (name, ttlMs) => asked(async () => void (await redis.set(key('code', name), '', 'PX', ttlMs))),
    takeCode: (name) => asked(async () => (await redis.del(key('code', name))) === 1),
    take: (bucket, name, perMinute) =>
      asked(async () => {
        const place = key('bucket', bucket, shortOf(name));
        const answer = await redis.eval(TAKE, 1, place, options.now(), perMinute, FULL_MS);
        const [allowed, left] = answer as [number, string];
        return { allowed: allowed === 1, left: Number(left) };
      }),
    close: () => closeRedis(redis),
  };
}

/** Others choose the names; a key stays short all the same. */
function shortOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

/** Commands and their arguments are not told: one of them is a key. */
async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch {
    throw new FactoryError('Redis, where sessions are kept, does not answer; try again', {
      code: 'unavailable',
      retryable: true,
    });
  }
}
