import { Redis, type RedisOptions } from 'ioredis';
import { z } from 'zod';
import { zDigest } from '../domain/digest.ts';
import { OUTCOMES, type Run, type StepRecord } from '../domain/run.ts';
import { closeRedis } from './close-redis.ts';
import type { Ledger, Observation } from './ledger.ts';
import { acquireLock } from './lock.ts';

const RUN_TTL_SECONDS = 90 * 24 * 3600;
const LOG_TTL_SECONDS = 7 * 24 * 3600;
const OBSERVATION_TTL_SECONDS = 365 * 24 * 3600;
const MAX_RUNS = 10_000;
const MAX_LOG_LINES = 500;
const MAX_LINE_LENGTH = 2_000;

const zList = z.array(z.unknown()).default([]);

const StepSchema = z.object({
  name: z.string(),
  platform: z.string().optional(),
  state: z.enum(['running', 'done', 'skipped', 'failed']),
  startedAt: z.number(),
  endedAt: z.number().optional(),
  external: z.boolean(),
  error: z.string().optional(),
  emulated: z.boolean().optional(),
});

const RunSchema = z.object({
  id: z.string(),
  image: z.string(),
  inputs: zDigest,
  basis: z.string().optional(),
  reasons: zList,
  holds: zList,
  platforms: z.array(z.string()),
  startedAt: z.string(),
  endedAt: z.string().optional(),
  outcome: z.enum(OUTCOMES).optional(),
  summary: z.string().optional(),
  differs: z.array(z.string()).optional(),
  cancelled: z.object({ by: z.string(), reason: z.string().optional(), at: z.string() }).optional(),
  version: z.string().optional(),
  digest: zDigest.optional(),
  platformDigests: z.record(z.string(), zDigest).optional(),
});

const ObservationSchema = z.object({
  digest: zDigest,
  platforms: z.record(z.string(), zDigest),
  created: z.string().optional(),
  platformsCreated: z.record(z.string(), z.string()).optional(),
  tag: z.string().optional(),
  newer: z.string().optional(),
  firstSeenAt: z.string(),
  checkedAt: z.string(),
  detectedAt: z.string().optional(),
  detectedBy: z.enum(['watch', 'webhook']).optional(),
  changedAt: z.string().optional(),
}) as unknown as z.ZodType<Observation>;

/** The ledger in Redis: every key has an expiry or a cap. */
export function createRedisLedger(options: {
  connection: RedisOptions;
  prefix: string;
}): Ledger & { close(): Promise<void> } {
  const redis = new Redis(options.connection);
  redis.on('error', () => {}); // ioredis reconnects by itself; a failed command says so to its caller
  const key = (...parts: string[]) => [options.prefix, 'ledger', ...parts].join(':');
  const readRun = async (id: string) => toRun(await redis.hgetall(key('run', id)));
  return {
    startRun: (run) => startRun(redis, key, run),
    async recordStep(runId, step) {
      const field = `step:${step.name}:${step.platform ?? ''}`;
      await redis.hset(key('run', runId), field, JSON.stringify(step));
    },
    async finishRun(runId, end) {
      await redis.hset(key('run', runId), 'end', JSON.stringify(end));
    },
    run: readRun,
    async runs({ image, limit = 100, behind } = {}) {
      const list = image === undefined ? key('runs') : key('runs', image);
      const rank = behind === undefined ? -1 : await redis.zrevrank(list, behind);
      if (rank === null) return []; // so old that it is forgotten
      const ids = await redis.zrevrange(list, rank + 1, rank + limit);
      const runs = await Promise.all(ids.map(readRun));
      return runs.filter((run) => run !== undefined);
    },
    async appendLog(runId, platform, lines) {
      if (lines.length === 0) return;
      const name = key('log', runId, platform);
      const cut = lines.map((line) => line.slice(0, MAX_LINE_LENGTH));
      await redis
        .multi()
        .rpush(name, ...cut)
        .ltrim(name, -MAX_LOG_LINES, -1)
        .expire(name, LOG_TTL_SECONDS)
        .exec();
    },
    log: (runId, platform) => redis.lrange(key('log', runId, platform), 0, -1),
    async observe(upstream, observation) {
      await redis.set(key('upstream', upstream), JSON.stringify(observation), 'EX', OBSERVATION_TTL_SECONDS);
    },
    async observation(upstream) {
      const text = await redis.get(key('upstream', upstream));
      const parsed = text === null ? undefined : ObservationSchema.safeParse(JSON.parse(text));
      return parsed?.data; // one that is not understood is asked for again
    },
    lock: (lock) => acquireLock(redis, key('lock', lock.name), lock),
    close: () => closeRedis(redis),
  };
}

async function startRun(redis: Redis, key: (...parts: string[]) => string, run: Run): Promise<void> {
  const { steps, ...head } = run;
  const score = Date.parse(run.startedAt);
  const fields = steps.flatMap((step) => [`step:${step.name}:${step.platform ?? ''}`, JSON.stringify(step)]);
  const batch = redis.multi().hset(key('run', run.id), 'run', JSON.stringify(head), ...fields);
  batch.expire(key('run', run.id), RUN_TTL_SECONDS);
  for (const list of [key('runs'), key('runs', run.image)]) {
    batch
      .zadd(list, score, run.id)
      .zremrangebyrank(list, 0, -MAX_RUNS - 1)
      .expire(list, RUN_TTL_SECONDS);
  }
  await batch.exec();
}

function toRun(fields: Record<string, string>): Run | undefined {
  if (fields.run === undefined) return undefined;
  const end = fields.end === undefined ? {} : (JSON.parse(fields.end) as object);
  const head = RunSchema.safeParse({ ...(JSON.parse(fields.run) as object), ...end });
  if (!head.success) return undefined;
  const steps = Object.entries(fields)
    .filter(([name]) => name.startsWith('step:'))
    .map(([, text]) => StepSchema.parse(JSON.parse(text)) as StepRecord)
    .sort((a, b) => a.startedAt - b.startedAt);
  return { ...head.data, steps } as unknown as Run;
}
