import { Redis, type RedisOptions } from 'ioredis';
import type { z } from 'zod';
import { closeRedis } from './close-redis.ts';
import { createEventStream } from './redis-events.ts';
import { createHistoryStore } from './redis-history.ts';
import type { ActiveRun, Request, ServiceStore } from './store.ts';
import {
  ActiveRunSchema,
  CancellationSchema,
  KeptSchema,
  PlanSchema,
  PointerSchema,
  RequestSchema,
  WorkerSchema,
} from './store-schemas.ts';

const DAY_SECONDS = 24 * 3600;
const RUN_TTL_SECONDS = 90 * DAY_SECONDS;
/** A worker that is silent for so long is not there any more. */
const WORKER_TTL_SECONDS = 30;
const MAX_CHANGES = 5_000;

/** Every fleet that this Redis knows: a worker finds its own there. */
export const FLEETS_KEY = 'ingot-fleets';

const ENDED = `
local function is(text) return text and cjson.decode(text).runId == ARGV[2] end
if is(redis.call('hget', KEYS[1], ARGV[1])) then redis.call('hdel', KEYS[1], ARGV[1]) end
if is(redis.call('hget', KEYS[2], ARGV[1])) then redis.call('hdel', KEYS[2], ARGV[1]) end
return 1`;

export interface StoreOptions {
  readonly connection: RedisOptions;
  readonly prefix: string;
  readonly fleet: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createRedisStore(options: StoreOptions): ServiceStore {
  const redis = new Redis(options.connection);
  redis.on('error', () => {}); // ioredis reconnects by itself; a failed command says so to its caller
  const key = (...parts: string[]) => [options.prefix, 'service', ...parts].join(':');
  const stream = createEventStream(redis, key('events'), options.now);
  return {
    ...requests(redis, key),
    ...runs(redis, key),
    ...changes(redis, key),
    ...stream,
    ...pointers(redis, key, options),
    ...left(redis, key, options.now),
    ...workers(redis, key),
    ...failures(redis, key, options.now),
    ...createHistoryStore(redis, key),
    close: () => closeRedis(redis),
  };
}

type Key = (...parts: string[]) => string;

function requests(redis: Redis, key: Key): Pick<ServiceStore, 'request' | 'requests' | 'requestOf' | 'once' | 'kept'> {
  const kept = async (name: string) => parse(KeptSchema, await redis.get(key('once', name)));
  return {
    async request(request) {
      const text = JSON.stringify(request);
      if ((await redis.hsetnx(key('requests'), request.image, text)) === 0) {
        const before = parse(RequestSchema, await redis.hget(key('requests'), request.image));
        if (before !== undefined) return before;
        await redis.hset(key('requests'), request.image, text);
      }
      await redis.set(key('request', request.runId), text, 'EX', RUN_TTL_SECONDS);
      return request;
    },
    requests: async () => parseAll<Request>(RequestSchema, await redis.hvals(key('requests'))),
    requestOf: async (runId) => parse(RequestSchema, await redis.get(key('request', runId))),
    async once(name, value) {
      await redis.set(key('once', name), JSON.stringify(value), 'EX', DAY_SECONDS, 'NX');
      return (await kept(name)) ?? value;
    },
    kept,
  };
}

function runs(redis: Redis, key: Key): Pick<ServiceStore, 'claim' | 'active' | 'ended' | 'cancel' | 'cancelled'> {
  return {
    claim: async (run) => (await redis.hsetnx(key('active'), run.image, JSON.stringify(run))) === 1,
    active: async () => parseAll<ActiveRun>(ActiveRunSchema, await redis.hvals(key('active'))),
    async ended(image, runId) {
      await redis.eval(ENDED, 2, key('active'), key('requests'), image, runId);
    },
    async cancel(runId, cancellation) {
      const name = key('cancel', runId);
      await redis.set(name, JSON.stringify(cancellation), 'EX', RUN_TTL_SECONDS, 'NX');
      return parse(CancellationSchema, await redis.get(name)) ?? cancellation;
    },
    async cancelled(runIds) {
      if (runIds.length === 0) return new Map();
      const texts = await redis.mget(runIds.map((id) => key('cancel', id)));
      const found = runIds.flatMap((id, index) => {
        const cancellation = parse(CancellationSchema, texts[index] ?? null);
        return cancellation === undefined ? [] : [[id, cancellation] as const];
      });
      return new Map(found);
    },
  };
}

function changes(
  redis: Redis,
  key: Key,
): Pick<ServiceStore, 'changed' | 'changesAfter' | 'place' | 'putPlan' | 'plan'> {
  const name = key('changes');
  const place = async () => (await redis.xrevrange(name, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0';
  return {
    async changed(images) {
      if (images.length > 0) await redis.xadd(name, 'MAXLEN', MAX_CHANGES, '*', 'images', images.join(' '));
    },
    async changesAfter(after) {
      const [first] = await redis.xrange(name, '-', '+', 'COUNT', 1);
      // Nothing there, or what followed has been dropped: the place says nothing about now
      if (first === undefined) return after === '0-0' ? { place: after, images: [] } : undefined;
      if (after !== '0-0' && isBefore(after, first[0])) return undefined;
      const found = await redis.xrange(name, `(${after}`, '+');
      const images = found.flatMap(([, fields]) => fields[1]!.split(' '));
      return { place: found.at(-1)?.[0] ?? after, images: [...new Set(images)] };
    },
    place,
    async putPlan(plan) {
      await redis.set(key('plan'), JSON.stringify(plan), 'EX', DAY_SECONDS);
    },
    plan: async () => parse(PlanSchema, await redis.get(key('plan'))),
  };
}

function isBefore(a: string, b: string): boolean {
  const [x = 0, y = 0] = a.split('-').map(Number);
  const [u = 0, v = 0] = b.split('-').map(Number);
  return x < u || (x === u && y < v);
}

function pointers(
  redis: Redis,
  _key: Key,
  { fleet }: StoreOptions,
): Pick<ServiceStore, 'putDefinitions' | 'definitions'> {
  return {
    async putDefinitions(pointer) {
      await redis.hset(FLEETS_KEY, fleet, JSON.stringify(pointer));
    },
    definitions: async () => parse(PointerSchema, await redis.hget(FLEETS_KEY, fleet)),
  };
}

function left(redis: Redis, key: Key, now: () => number): Pick<ServiceStore, 'leftSince'> {
  const since = key('definitions', 'left');
  return {
    async leftSince(there, used) {
      const idle = there.filter((name) => !used.includes(name));
      const known = await redis.zrange(since, 0, -1);
      const gone = known.filter((name) => !idle.includes(name));
      const batch = redis.multi();
      if (gone.length > 0) batch.zrem(since, ...gone);
      if (idle.length > 0) batch.zadd(since, 'NX', ...idle.flatMap((name) => [now(), name]));
      await batch.exec();
      const scores = idle.length === 0 ? [] : await redis.zmscore(since, ...idle);
      return new Map(idle.map((name, index) => [name, Number(scores[index] ?? now())]));
    },
  };
}

function workers(redis: Redis, key: Key): Pick<ServiceStore, 'beat' | 'workers' | 'gone' | 'lastNative'> {
  const all = key('workers');
  return {
    async beat(worker) {
      const batch = redis.multi().set(key('worker', worker.id), JSON.stringify(worker), 'EX', WORKER_TTL_SECONDS);
      const builds = worker.roles.includes('build') && worker.lowDisk === undefined;
      const native = worker.platforms.filter(({ how }) => how === 'native' && builds);
      for (const { platform } of native) batch.set(key('native', platform), worker.seenAt, 'EX', 30 * DAY_SECONDS);
      await batch.sadd(all, worker.id).expire(all, DAY_SECONDS).exec();
    },
    async workers() {
      const ids = await redis.smembers(all);
      if (ids.length === 0) return [];
      const texts = await redis.mget(ids.map((id) => key('worker', id)));
      const silent = ids.filter((_, index) => texts[index] === null);
      if (silent.length > 0) await redis.srem(all, ...silent);
      return parseAll(
        WorkerSchema,
        texts.filter((text) => text !== null),
      );
    },
    lastNative: async (platform) => (await redis.get(key('native', platform))) ?? undefined,
    async gone(id) {
      await redis.multi().del(key('worker', id)).srem(all, id).exec();
    },
  };
}

const HOUR_MS = 3600_000;

/** Counted by the hour, and the hours of a day put together. */
function failures(redis: Redis, key: Key, now: () => number): Pick<ServiceStore, 'failed' | 'failures'> {
  const hourOf = (time: number) => key('failed', String(Math.floor(time / HOUR_MS)));
  return {
    async failed(queue) {
      await redis
        .multi()
        .hincrby(hourOf(now()), queue, 1)
        .expire(hourOf(now()), DAY_SECONDS + 3600)
        .exec();
    },
    async failures() {
      const hours = Array.from({ length: 24 }, (_, back) => redis.hgetall(hourOf(now() - back * HOUR_MS)));
      const total = new Map<string, number>();
      for (const hour of await Promise.all(hours)) {
        for (const [queue, count] of Object.entries(hour)) total.set(queue, (total.get(queue) ?? 0) + Number(count));
      }
      return total;
    },
  };
}

/** The fleets of a Redis, for a worker that is told nothing else. */
export async function fleetsIn(connection: RedisOptions) {
  const redis = new Redis(connection);
  redis.on('error', () => {});
  try {
    return parseAll(PointerSchema, await redis.hvals(FLEETS_KEY));
  } finally {
    redis.disconnect();
  }
}

/** What is not understood was written by a newer ingot, and counts as not there. */
function parse<T>(schema: z.ZodType<T>, text: string | null): T | undefined {
  if (text === null) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function parseAll<T>(schema: z.ZodType<T>, texts: readonly string[]): readonly T[] {
  return texts.flatMap((text) => parse(schema, text) ?? []);
}
