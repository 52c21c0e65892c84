import { once } from 'node:events';
import { Redis, type RedisOptions } from 'ioredis';
import { FactoryError } from '../domain/errors.ts';
import type { BudgetView } from '../domain/service/workers.ts';
import { ANONYMOUS, type Budget, type Spending } from '../lib/budget.ts';
import type { WriteTimes } from '../lib/pacer.ts';
import { type Learnt, learnFrom } from './budget-headers.ts';
import { closeRedis } from './close-redis.ts';
import { createSharedWriteTimes } from './write-times.ts';

export interface SharedBudgetOptions {
  readonly connection: RedisOptions;
  readonly prefix: string;
  /** Names this process among those that wait. */
  readonly id: string;
  /** Milliseconds; a wait that is longer is an error at once. */
  readonly maxWaitMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface SharedBudgets {
  of(kind: BudgetView['kind']): Budget;
  views(): Promise<readonly BudgetView[]>;
  /** When forges were written to. */
  readonly writes: WriteTimes;
  close(): Promise<void>;
}

const DAY_SECONDS = 24 * 3600;
const READY_MS = 5_000;
/** So long other processes' pauses may go unnoticed by requests that no host counts. */
const FRESH_MS = 1_000;

/**
 * A token bucket: what the host said is left, less what all processes took since, plus what came back since by its
 * own rate. Answers 0 when one may be taken, else the time to wait for. ARGV: now, counted, day.
 */
const TAKE = `
local b = redis.call('hmget', KEYS[1], 'pausedUntil', 'remaining', 'limit', 'windowMs', 'at')
local now = tonumber(ARGV[1])
local paused = tonumber(b[1] or '0')
if paused > now then return paused - now end
if ARGV[2] == '0' then return 0 end
local left, limit, window, at = tonumber(b[2] or ''), tonumber(b[3] or ''), tonumber(b[4] or ''), tonumber(b[5] or '')
if left then
  local rate = 0
  if limit and window and window > 0 then rate = limit / window end
  left = left + math.max(0, now - at) * rate
  if limit and left > limit then left = limit end
  if left < 1 then
    if rate > 0 then return math.ceil((1 - left) / rate) end
    if now - at < 60000 then return 60000 - (now - at) end
    left = 1
  end
  redis.call('hset', KEYS[1], 'remaining', left - 1, 'at', now)
end
redis.call('hincrby', KEYS[1], 'spent:' .. ARGV[3], 1)
redis.call('expire', KEYS[1], 172800)
return 0`;

/** Shared by all processes on a Redis. Without Redis each minds only what it learns by itself. */
export function createSharedBudgets(options: SharedBudgetOptions): SharedBudgets {
  const redis = new Redis({ ...options.connection, maxRetriesPerRequest: 1, enableOfflineQueue: false });
  redis.on('error', () => {});
  const key = (...parts: string[]) => [options.prefix, 'budget', ...parts].join(':');
  return {
    of: (kind) => createBudgetOf(kind, redis, key, options),
    writes: createSharedWriteTimes(redis, (writer) => key('writes', writer)),
    async views() {
      if (redis.status !== 'ready') await once(redis, 'ready', { signal: AbortSignal.timeout(READY_MS) });
      return readViews(redis, key, options.now());
    },
    close: () => closeRedis(redis),
  };
}

type Key = (...parts: string[]) => string;

function createBudgetOf(kind: BudgetView['kind'], redis: Redis, key: Key, options: SharedBudgetOptions): Budget {
  const asked = new Map<string, number>();
  const take = async ({ counted, ...use }: Spending): Promise<number> => {
    const now = options.now();
    const bucket = bucketOf(use);
    if (!counted && now - (asked.get(bucket) ?? 0) < FRESH_MS) return 0;
    const day = new Date(now).toISOString().slice(0, 10);
    const wait = await redis.eval(TAKE, 1, key(kind, bucket), now, counted ? 1 : 0, day).catch(() => 0);
    if (Number(wait) === 0) asked.set(bucket, now);
    return Number(wait);
  };
  return {
    async spend(use, send) {
      const bucket = bucketOf(use);
      await waitForTurn(use, take, { ...options, waiting: key('waiting', kind, bucket), redis });
      const answer = await send();
      const learnt = learnFrom(answer.status, answer.headers, options.now());
      if (learnt !== undefined) await remember(redis, key(kind, bucket), learnt, key('hosts'), `${kind} ${bucket}`);
      if (learnt?.pausedUntil !== undefined) asked.delete(bucket);
      return answer;
    },
  };
}

/** Accounts of a host apart, also where one process has the one and another the other. */
function bucketOf({ host, identity = ANONYMOUS }: Pick<Spending, 'host' | 'identity'>): string {
  return identity === ANONYMOUS ? host : `${host} ${identity}`;
}

interface Waiting extends SharedBudgetOptions {
  readonly redis: Redis;
  readonly waiting: string;
}

async function waitForTurn(use: Spending, take: (use: Spending) => Promise<number>, options: Waiting): Promise<void> {
  for (;;) {
    use.signal?.throwIfAborted();
    const wait = await take(use);
    if (wait <= 0) return;
    if (wait > options.maxWaitMs) throw overBudget(use.host, options.now() + wait, wait);
    const { redis, waiting, id } = options;
    // One that is killed while it waits is forgotten when its wait is over
    await redis.zadd(waiting, options.now() + wait, `${id} ${options.now()} ${Math.random()}`).catch(() => 0);
    await redis.expire(waiting, DAY_SECONDS).catch(() => 0);
    await options.sleep(wait, use.signal);
  }
}

async function remember(redis: Redis, name: string, learnt: Learnt, hosts: string, host: string): Promise<void> {
  const fields = Object.entries(learnt).filter(([, value]) => value !== undefined);
  const batch = redis
    .multi()
    .hset(name, Object.fromEntries(fields))
    .expire(name, 2 * DAY_SECONDS);
  await batch
    .sadd(hosts, host)
    .expire(hosts, 30 * DAY_SECONDS)
    .exec()
    .catch(() => undefined); // the next answer says it again
}

function overBudget(host: string, until: number, wait: number): FactoryError<'rate-limited'> {
  const time = new Date(until).toISOString();
  return new FactoryError(
    `${host} allows no more requests before ${time}; log in there for a higher limit, or name a mirror in ingot.yaml`,
    { code: 'rate-limited', retryable: true, details: { retryAfterMs: wait } },
  );
}

async function readViews(redis: Redis, key: Key, now: number): Promise<readonly BudgetView[]> {
  const hosts = await redis.smembers(key('hosts'));
  const views = hosts.sort().map(async (entry): Promise<readonly BudgetView[]> => {
    const [kind = '', host = '', identity = ANONYMOUS] = entry.split(' ');
    const bucket = bucketOf({ host, identity });
    const fields = await redis.hgetall(key(kind, bucket));
    if (fields.at === undefined) return [];
    const waiting = await redis.zcount(key('waiting', kind, bucket), now, '+inf');
    const number = (name: string) => (fields[name] === undefined ? undefined : Number(fields[name]));
    const pausedUntil = number('pausedUntil');
    const day = new Date(now).toISOString().slice(0, 10);
    const [limit, remaining, windowMs] = [number('limit'), number('remaining'), number('windowMs')];
    return [
      {
        ...{ host, identity, kind: kind === 'forge' ? 'forge' : 'registry', waiting },
        spentToday: number(`spent:${day}`) ?? 0,
        ...(limit !== undefined && { limit }),
        ...(remaining !== undefined && { remaining: Math.floor(remaining) }),
        ...(windowMs !== undefined && { windowSeconds: windowMs / 1000 }),
        ...(pausedUntil !== undefined &&
          pausedUntil > now && { pausedUntil: new Date(pausedUntil).toISOString(), why: fields.why ?? 'it said so' }),
        seenAt: new Date(Number(fields.at)).toISOString(),
      },
    ];
  });
  return (await Promise.all(views)).flat();
}
