import { Redis, type RedisOptions } from 'ioredis';
import { HOOK_DIALECTS, HOOK_OUTCOMES, type HookDialect } from '../domain/hooks.ts';
import { closeRedis } from './close-redis.ts';
import type { HookCounts, HookStore } from './hooks.ts';

/** Names that others choose: so many are kept of each sender, and so long ones. */
const UNKNOWN_KEPT = 50;
const LONGEST_NAME = 256;
const SHOWN = 10;

export function createRedisHooks(options: { readonly connection: RedisOptions; readonly prefix: string }): HookStore {
  const redis = new Redis(options.connection);
  redis.on('error', () => {}); // ioredis reconnects by itself; a failed command says so to its caller
  const key = (...parts: string[]) => [options.prefix, 'hooks', ...parts].join(':');
  return {
    async open(subject, mark, windowMs) {
      const name = key('window', subject);
      const opened = await redis.set(name, mark, 'PX', windowMs, 'NX');
      if (opened === 'OK') return undefined;
      return (await redis.get(name)) ?? ''; // it closed in between: the window of whoever is next
    },
    again: async (subject, windowMs) => (await redis.set(key('again', subject), '', 'PX', windowMs, 'NX')) === 'OK',
    async count(dialect, outcome, at) {
      await redis.multi().hincrby(key('counts', dialect), outcome, 1).hset(key('counts', dialect), 'lastAt', at).exec();
    },
    async unknown(dialect, repository) {
      const name = key('unknown', dialect);
      await redis
        .multi()
        .zincrby(name, 1, repository.slice(0, LONGEST_NAME))
        .zremrangebyrank(name, 0, -UNKNOWN_KEPT - 1)
        .exec();
    },
    async counts() {
      const entries = HOOK_DIALECTS.map(async (dialect) => [dialect, await read(dialect, redis, key)] as const);
      return new Map(await Promise.all(entries));
    },
    close: () => closeRedis(redis),
  };
}

async function read(dialect: HookDialect, redis: Redis, key: (...parts: string[]) => string): Promise<HookCounts> {
  const [found, unknown] = await Promise.all([
    redis.hgetall(key('counts', dialect)),
    redis.zrevrange(key('unknown', dialect), 0, SHOWN - 1, 'WITHSCORES'),
  ]);
  const counts = HOOK_OUTCOMES.flatMap((outcome) => (found[outcome] ? [[outcome, Number(found[outcome])]] : []));
  return {
    counts: Object.fromEntries(counts),
    ...(found.lastAt && { lastAt: found.lastAt }),
    unknown: Array.from({ length: unknown.length / 2 }, (_, index) => ({
      name: unknown[index * 2]!,
      count: Number(unknown[index * 2 + 1]),
    })),
  };
}
