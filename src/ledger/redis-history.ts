import type { Redis } from 'ioredis';
import { z } from 'zod';
import { zDigest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { ImageDiff } from '../domain/image-diff.ts';
import type { ServiceStore, StoredHistory } from './store.ts';

const HISTORY_TTL_SECONDS = 90 * 24 * 3600;
const DIFF_TTL_SECONDS = 24 * 3600;
const MAX_RELEASES = 60;
const MAX_DIFF_BYTES = 2 * 1024 * 1024;

const PlatformSchema = z.object({
  digest: zDigest,
  size: z.number(),
  packages: z.number().optional(),
  findings: z.record(z.string(), z.number()).optional(),
});

const HistorySchema = z.object({
  releases: z.array(
    z.object({
      version: z.string(),
      digest: zDigest,
      created: z.string().optional(),
      platforms: z.record(z.string(), PlatformSchema),
    }),
  ),
  readAt: z.string(),
}) as unknown as z.ZodType<StoredHistory>;

/** What is ours and whole is taken as it is. */
const DiffSchema = z.looseObject({ platforms: z.array(z.unknown()) }) as unknown as z.ZodType<ImageDiff>;

/** What is read from the registry once, so that no page has to. */
export function createHistoryStore(
  redis: Redis,
  key: (...parts: string[]) => string,
): Pick<ServiceStore, 'putHistory' | 'history' | 'putDiff' | 'diff'> {
  return {
    async putHistory(image, { releases, readAt }) {
      const text = JSON.stringify({ releases: releases.slice(0, MAX_RELEASES), readAt });
      await redis.set(key('history', image), text, 'EX', HISTORY_TTL_SECONDS);
    },
    history: async (image) => parse(HistorySchema, await redis.get(key('history', image))),
    async putDiff(name, diff) {
      const text = JSON.stringify(diff);
      if (text.length > MAX_DIFF_BYTES) {
        throw new FactoryError('they differ in more than a page can show; "ingot diff" shows it', { code: 'usage' });
      }
      await redis.set(key('diff', name), text, 'EX', DIFF_TTL_SECONDS);
    },
    diff: async (name) => parse(DiffSchema, await redis.get(key('diff', name))),
  };
}

/** One that is not understood is read from the registry again. */
function parse<T>(schema: z.ZodType<T>, text: string | null): T | undefined {
  return text === null ? undefined : schema.safeParse(JSON.parse(text)).data;
}
