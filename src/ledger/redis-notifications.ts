import { randomUUID } from 'node:crypto';
import { Redis, type RedisOptions } from 'ioredis';
import { z } from 'zod';
import type { Message, Seen } from '../domain/notifications.ts';
import { PROBLEM_KINDS, SEVERITIES } from '../domain/problems.ts';
import type { ChannelCounts } from '../domain/service/notify.ts';
import { closeRedis } from './close-redis.ts';
import type { NotifyStore, Pending } from './notifications.ts';

const KEPT_SECONDS = 90 * 24 * 3600;

const text = z.string();
const SeenSchema = z.object({
  problem: z.object({
    ...{ key: text, kind: z.enum(PROBLEM_KINDS), severity: z.enum(SEVERITIES), reason: text, group: text },
    ...{ image: text.optional(), link: text.optional(), repository: text.optional() },
  }),
  since: z.number(),
  goneSince: z.number().optional(),
  told: z.array(text),
});
const MessageSchema = z.object({
  ...{ id: text, channel: text, title: text, fleet: text, at: text, more: z.number() },
  state: z.enum(['problem', 'recovered', 'test']),
  kind: z.enum([...PROBLEM_KINDS, 'test']),
  severity: z.enum(SEVERITIES),
  commit: text.optional(),
  lines: z.array(z.object({ image: text.optional(), reason: text, link: text.optional() })),
});
const PendingSchema = z.object({
  message: MessageSchema,
  attempts: z.number(),
  nextAt: z.number(),
  error: text.optional(),
});

const UNLOCK = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

export function createRedisNotifications(options: {
  readonly connection: RedisOptions;
  readonly prefix: string;
}): NotifyStore {
  const redis = new Redis(options.connection);
  redis.on('error', () => {}); // ioredis reconnects by itself; a failed command says so to its caller
  const key = (...parts: string[]) => [options.prefix, 'notify', ...parts].join(':');
  const [seen, outbox] = [key('seen'), key('outbox')];
  const counted = (channel: string) => key('channel', channel);
  const ended = (message: Message) =>
    redis.multi().hdel(outbox, message.id).sadd(key('channels'), message.channel).expire(outbox, KEPT_SECONDS);
  return {
    async seen() {
      const found = parseAll<Seen>(SeenSchema as z.ZodType<Seen>, await redis.hvals(seen));
      return new Map(found.map((entry) => [entry.problem.key, entry]));
    },
    async decide(decision, now) {
      const batch = redis.multi().del(seen);
      for (const [name, entry] of decision.seen) batch.hset(seen, name, JSON.stringify(entry));
      for (const message of decision.messages) {
        const pending: Pending = { message, attempts: 0, nextAt: now };
        batch.hsetnx(outbox, message.id, JSON.stringify(pending));
      }
      await batch.expire(seen, KEPT_SECONDS).expire(outbox, KEPT_SECONDS).exec();
    },
    async pending() {
      const found = parseAll<Pending>(PendingSchema as z.ZodType<Pending>, await redis.hvals(outbox));
      return found.toSorted((a, b) => compare(a.message.at, b.message.at) || compare(a.message.id, b.message.id));
    },
    async failed(pending) {
      await redis.hset(outbox, pending.message.id, JSON.stringify(pending));
    },
    async sent(message, at) {
      const { channel } = message;
      await ended(message).hincrby(counted(channel), 'sent', 1).hset(counted(channel), 'lastSentAt', at).exec();
    },
    async dropped(message, why, at) {
      const name = counted(message.channel);
      await ended(message).hincrby(name, 'failed', 1).hset(name, 'lastFailedAt', at, 'lastError', why).exec();
    },
    async counts() {
      const channels = await redis.smembers(key('channels'));
      const found = channels.map(
        async (channel) => [channel, toCounts(await redis.hgetall(counted(channel)))] as const,
      );
      return new Map(await Promise.all(found));
    },
    async lock(what, forMs) {
      const [name, mine] = [key('lock', what), randomUUID()];
      if ((await redis.set(name, mine, 'PX', forMs, 'NX')) !== 'OK') return undefined;
      return async () => void (await redis.eval(UNLOCK, 1, name, mine));
    },
    close: () => closeRedis(redis),
  };
}

function toCounts({ sent, failed, lastSentAt, lastFailedAt, lastError }: Record<string, string>): ChannelCounts {
  return {
    ...{ sent: Number(sent ?? 0), failed: Number(failed ?? 0) },
    ...(lastSentAt && { lastSentAt }),
    ...(lastFailedAt && { lastFailedAt }),
    ...(lastError && { lastError }),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What is not understood was written by a newer ingot, and counts as not there. */
function parseAll<T>(schema: z.ZodType<T>, texts: readonly string[]): readonly T[] {
  return texts.flatMap((each) => schema.safeParse(JSON.parse(each)).data ?? []);
}
