import type { Redis } from 'ioredis';
import type { ServiceEvent } from '../domain/service/events.ts';
import type { ServiceStore } from './store.ts';

const MAX_EVENTS = 10_000;

/** Events in a Redis stream: ordered, capped. */
export function createEventStream(
  redis: Redis,
  name: string,
  now: () => number,
): Pick<ServiceStore, 'tell' | 'events'> {
  return {
    async tell(event) {
      const text = JSON.stringify({ ...event, at: new Date(now()).toISOString() });
      await redis.xadd(name, 'MAXLEN', '~', MAX_EVENTS, '*', 'event', text);
    },
    async events(after, limit) {
      if (after === undefined) {
        const [newest] = await redis.xrevrange(name, '+', '-', 'COUNT', 1);
        return { last: newest?.[0] ?? '0-0', events: [] };
      }
      const found = await redis.xrange(name, `(${after}`, '+', 'COUNT', limit);
      const events = found.map(([id, fields]) => ({ ...(JSON.parse(fields[1]!) as object), id }) as ServiceEvent);
      return { last: found.at(-1)?.[0] ?? after, events };
    },
  };
}
