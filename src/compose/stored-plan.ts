import { createRedisStore } from '../ledger/redis-store.ts';
import type { StoredPlan } from '../ledger/store.ts';
import { redisOptions } from '../queue/connection.ts';
import type { QueueSettings } from './session.ts';

/** The last plan of a service on this Redis, for a command, which has no connection of its own. */
export function createStoredPlan({ redis, prefix }: QueueSettings, fleet: string) {
  return async (): Promise<StoredPlan | undefined> => {
    const store = createRedisStore({ connection: redisOptions(redis), prefix, fleet, now: Date.now });
    try {
      return await store.plan();
    } finally {
      await store.close();
    }
  };
}
