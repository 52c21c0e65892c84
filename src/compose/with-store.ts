import { createRedisStore } from '../ledger/redis-store.ts';
import type { ServiceStore } from '../ledger/store.ts';
import { redisOptions } from '../queue/connection.ts';
import type { QueueSettings } from './session.ts';

/** What a service keeps in Redis, for a command, which has no connection of its own. */
export async function withStore<T>(
  { redis, prefix }: QueueSettings,
  fleet: string,
  use: (store: ServiceStore) => Promise<T>,
): Promise<T> {
  const store = createRedisStore({ connection: redisOptions(redis), prefix, fleet, now: Date.now });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
