import type { Redis } from 'ioredis';
import { z } from 'zod';
import { createWriteTimes, type WriteTimes } from '../lib/pacer.ts';

const Times = z.array(z.number());
const KEPT_SECONDS = 2 * 3600;
const TRIES = 50;

/** Sets a value when it is what it was. ARGV: before, after, seconds. */
const SWAP = `
if (redis.call('get', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1`;

/** Times of writes, shared by all processes on a Redis. Without it each minds its own. */
export function createSharedWriteTimes(redis: Redis, keyOf: (writer: string) => string): WriteTimes {
  const own = createWriteTimes();
  return {
    async read(writer) {
      const text = await redis.get(keyOf(writer)).catch(() => undefined);
      return text === undefined ? own.read(writer) : parse(text);
    },
    async change(writer, change) {
      for (let left = TRIES; left > 0; left--) {
        try {
          const before = (await redis.get(keyOf(writer))) ?? '';
          const after = JSON.stringify(change(parse(before)));
          if (Number(await redis.eval(SWAP, 1, keyOf(writer), before, after, KEPT_SECONDS)) === 1) return;
        } catch {
          break; // Redis is down
        }
      }
      await own.change(writer, change);
    },
  };
}

function parse(text: string | null): readonly number[] {
  if (!text) return [];
  const read = Times.safeParse(JSON.parse(text));
  return read.success ? read.data : [];
}
