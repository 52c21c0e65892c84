import { Redis, type RedisOptions } from 'ioredis';
import { closeRedis } from './close-redis.ts';

/** What one process of many does, as long as it goes on doing it. */
export interface Lease {
  /** Takes it when nobody has it, and keeps it for another while. @throws when Redis does not answer */
  hold(): Promise<boolean>;
  /** For the next, without a wait. */
  release(): Promise<void>;
  close(): Promise<void>;
}

export interface LeaseOptions {
  readonly connection: RedisOptions;
  readonly prefix: string;
  /** What it is for. */
  readonly name: string;
  /** Of this process. */
  readonly id: string;
  /** Who does not hold on for so long has lost it. */
  readonly ttlMs: number;
}

const HOLD = `
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return 1`;

const RELEASE = `
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return 1`;

export function createLease({ connection, prefix, name, id, ttlMs }: LeaseOptions): Lease {
  const redis = new Redis({ ...connection, maxRetriesPerRequest: 1 });
  redis.on('error', () => {}); // ioredis reconnects by itself; a failed command says so to its caller
  const key = `${prefix}:lease:${name}`;
  return {
    hold: async () => (await redis.eval(HOLD, 1, key, id, ttlMs)) === 1,
    async release() {
      await redis.eval(RELEASE, 1, key, id);
    },
    close: () => closeRedis(redis),
  };
}
