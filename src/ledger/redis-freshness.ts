import { Redis, type RedisOptions } from 'ioredis';
import { z } from 'zod';
import { zDigest } from '../domain/digest.ts';
import type { FreshnessSample } from '../domain/freshness.ts';
import { closeRedis } from './close-redis.ts';
import type { FreshnessStore } from './freshness.ts';

/** Thirteen months: this month beside the same of last year. */
const KEPT_MS = 396 * 24 * 3600_000;
const MAX_SAMPLES = 20_000;
/** Read at once at most, unless more is asked for. */
const MAX_READ = 5_000;

const text = z.string();
const SampleSchema = z.object({
  ...{ id: text, image: text, kind: z.enum(['upstream', 'fix']), upstream: text },
  ...{ digest: zDigest.optional(), tag: text.optional(), findings: z.array(text).optional(), fixed: text.optional() },
  ...{ changedAt: text, detectedAt: text, detectedBy: z.enum(['watch', 'webhook']).optional() },
  platforms: z.record(text, z.object({ createdAt: text.optional(), builtAt: text.optional() })).optional(),
  holds: z.record(text, z.object({ at: text, why: text })).optional(),
  ...{ run: text.optional(), version: text.optional(), release: zDigest.optional() },
  ...{ outcome: z.enum(['released', 'unchanged']).optional(), releasedAt: text.optional() },
  pulls: z
    .record(
      text,
      z.object({
        ...{ repository: text, number: z.number(), branch: text, openedAt: text },
        ...{ mergedAt: text.optional(), closedAt: text.optional() },
      }),
    )
    .optional(),
}) as unknown as z.ZodType<FreshnessSample>;

/**
 * Adds the fields that are not there, at any depth; puts the sample on the lists that it belongs to; forgets what is
 * too old or too much. KEYS: samples, by time, open, proposed, prefix of the lists by image.
 * ARGV: id, sample, time of the change, oldest time, most samples, seconds to keep.
 */
const NOTE = `
local function add(old, new)
  for k, v in pairs(new) do
    if old[k] == nil then old[k] = v
    elseif type(old[k]) == 'table' and type(v) == 'table' then add(old[k], v) end
  end
  return old
end
local function by_image(id) return KEYS[5] .. string.match(id, '^[^|]+') end
local id, score = ARGV[1], tonumber(ARGV[3])
local text = redis.call('hget', KEYS[1], id)
local sample = cjson.decode(ARGV[2])
if text then
  sample = add(cjson.decode(text), sample)
  score = tonumber(redis.call('zscore', KEYS[2], id)) or score
end
redis.call('hset', KEYS[1], id, cjson.encode(sample))
redis.call('zadd', KEYS[2], score, id)
redis.call('zadd', by_image(id), score, id)
redis.call(sample.releasedAt and 'srem' or 'sadd', KEYS[3], id)
local waits = false
for _, pull in pairs(sample.pulls or {}) do if not (pull.mergedAt or pull.closedAt) then waits = true end end
redis.call(waits and 'sadd' or 'srem', KEYS[4], id)
local gone = redis.call('zrangebyscore', KEYS[2], '-inf', '(' .. ARGV[4], 'LIMIT', 0, 100)
local most = redis.call('zcard', KEYS[2]) - tonumber(ARGV[5])
if most > 0 then for _, each in ipairs(redis.call('zrange', KEYS[2], 0, math.min(most, 100) - 1)) do gone[#gone + 1] = each end end
for _, each in ipairs(gone) do
  redis.call('hdel', KEYS[1], each)
  redis.call('zrem', KEYS[2], each)
  redis.call('zrem', by_image(each), each)
  redis.call('srem', KEYS[3], each)
  redis.call('srem', KEYS[4], each)
end
for _, key in ipairs({ KEYS[1], KEYS[2], KEYS[3], KEYS[4], by_image(id) }) do redis.call('expire', key, ARGV[6]) end
return #gone`;

export interface RedisFreshnessOptions {
  readonly connection: RedisOptions;
  readonly prefix: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Default 20,000. */
  readonly maxSamples?: number;
}

/** Samples in Redis, capped and expiring. */
export function createRedisFreshness(options: RedisFreshnessOptions): FreshnessStore {
  const { connection, prefix, now, maxSamples = MAX_SAMPLES } = options;
  const redis = new Redis(connection);
  redis.on('error', () => {}); // ioredis reconnects by itself; a failed command says so to its caller
  const key = (...parts: string[]) => [prefix, 'freshness', ...parts].join(':');
  const [all, byTime, open, proposed] = [key('samples'), key('by-time'), key('open'), key('proposed')];
  const byImage = (image: string) => key('image', image);
  const remembered = createMemory();
  const read = async (ids: readonly string[]) => {
    if (ids.length === 0) return [];
    const texts = await redis.hmget(all, ...ids);
    return ids.flatMap((id, index) => remembered(id, texts[index] ?? null) ?? []);
  };
  return {
    async note(sample) {
      const score = Date.parse(sample.changedAt);
      const limits = [now() - KEPT_MS, maxSamples, KEPT_MS / 1000];
      const keys = [all, byTime, open, proposed, byImage('')];
      await redis.eval(NOTE, keys.length, ...keys, sample.id, JSON.stringify(sample), score, ...limits);
    },
    async drop(id) {
      const image = id.split('|')[0]!;
      await redis
        .multi()
        .hdel(all, id)
        .zrem(byTime, id)
        .zrem(byImage(image), id)
        .srem(open, id)
        .srem(proposed, id)
        .exec();
    },
    open: async () => read(await redis.smembers(open)),
    async samples({ image, since, limit = MAX_READ } = {}) {
      const list = image === undefined ? byTime : byImage(image);
      const from = since === undefined ? '-inf' : Date.parse(since);
      return read(await redis.zrange(list, '+inf', from, 'BYSCORE', 'REV', 'LIMIT', 0, limit));
    },
    proposed: async () => read(await redis.smembers(proposed)),
    close: () => closeRedis(redis),
  };
}

/** Most of what is read again and again is what it was: understanding it takes longer than fetching it. */
function createMemory() {
  const known = new Map<string, { readonly text: string; readonly sample: FreshnessSample | undefined }>();
  return (id: string, text: string | null): FreshnessSample | undefined => {
    const before = known.get(id);
    if (before?.text === text) return before.sample;
    if (text === null) return undefined;
    if (known.size >= MAX_READ) known.delete(known.keys().next().value!);
    const sample = parse(text);
    known.set(id, { text, sample });
    return sample;
  };
}

/** What is not understood was written by a newer ingot, and counts as not there. */
function parse(text: string): FreshnessSample | undefined {
  return SampleSchema.safeParse(JSON.parse(text)).data;
}
