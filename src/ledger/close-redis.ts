import type { Redis } from 'ioredis';
import { endsWithin } from '../lib/within.ts';

const GOODBYE_MS = 2_000;

/** A connection that is not up would wait for Redis to come back before it says goodbye. Commands under way end first; one that is gone, or hangs, keeps nobody from ending. */
export async function closeRedis(redis: Redis): Promise<void> {
  if (redis.status === 'ready') {
    await endsWithin(
      redis.quit().catch(() => undefined),
      GOODBYE_MS,
    );
  }
  redis.disconnect();
}
