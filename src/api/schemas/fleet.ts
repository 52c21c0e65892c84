import { z } from '@hono/zod-openapi';
import { Digest, ForeignTime, PlatformDigests, Time } from './common.ts';
import { Pause } from './decisions.ts';
import { Waiver } from './images.ts';

const Mistake = z.object({
  file: z.string(),
  line: z.number().optional(),
  column: z.number().optional(),
  message: z.string(),
  remedy: z.string().optional(),
});

export const Fleet = z
  .object({
    name: z.string(),
    source: z.string(),
    commit: z.string().optional(),
    digest: Digest,
    loadedAt: Time,
    checkedAt: Time,
    images: z.number().int(),
    registry: z.string(),
    platforms: z.array(z.string()),
    refused: z
      .object({ at: Time, commit: z.string().optional(), message: z.string(), mistakes: z.array(Mistake) })
      .optional()
      .openapi({ description: 'newer definitions that are not in use, and why' }),
    paused: Pause.optional(),
  })
  .openapi('Fleet');

export const Upstream = z
  .object({
    name: z.string(),
    source: z.string().optional(),
    digest: Digest.optional(),
    created: ForeignTime.optional(),
    firstSeenAt: Time.optional(),
    checkedAt: Time.optional(),
    platforms: PlatformDigests,
    images: z.array(z.string()),
    unknown: z.string().optional(),
  })
  .openapi('Upstream');

export const Pulls = z
  .object({
    items: z.array(
      z
        .object({
          repository: z.string(),
          number: z.number().int(),
          title: z.string(),
          state: z.string(),
          body: z.string(),
          image: z.string().optional().openapi({ description: 'absent for one that moves pins of several' }),
          url: z.string().optional(),
          createdAt: ForeignTime.optional(),
          updatedAt: ForeignTime.optional(),
        })
        .openapi('PullRequest'),
    ),
    unknown: z.array(z.object({ repository: z.string(), why: z.string() })),
  })
  .openapi('PullRequests');

export const ImageWaiver = z.object({ image: z.string(), waiver: Waiver }).openapi('ImageWaiver');

const ROLES = ['build', 'release', 'propose', 'scheduler'] as const;

export const Worker = z
  .object({
    id: z.string(),
    host: z.string(),
    pid: z.number().int(),
    version: z.string(),
    roles: z.array(z.enum(ROLES)),
    platforms: z.array(z.object({ platform: z.string(), how: z.enum(['native', 'emulated']) })),
    concurrency: z.number().int(),
    startedAt: Time,
    seenAt: Time,
    stopping: z.boolean(),
    lowDisk: z
      .object({ freeBytes: z.number(), neededBytes: z.number() })
      .optional()
      .describe('It takes no builds while its disk has so little room'),
    jobs: z.array(
      z.object({
        run: z.string(),
        image: z.string(),
        role: z.string(),
        platform: z.string().optional(),
        startedAt: Time,
      }),
    ),
  })
  .openapi('Worker');

export const Queue = z
  .object({
    name: z.string(),
    role: z.enum(ROLES),
    platform: z.string().optional(),
    waiting: z.number().int(),
    delayed: z.number().int(),
    running: z.number().int(),
    stalled: z.number().int(),
    blocked: z.number().int(),
    failed: z.number().int(),
    workers: z.number().int(),
    oldest: Time.optional(),
  })
  .openapi('Queue');

export const Schedule = z
  .object({
    name: z.string(),
    what: z.string(),
    cron: z.string().optional(),
    timezone: z.string().optional(),
    everySeconds: z.number().optional(),
    next: z.array(Time),
  })
  .openapi('Schedule');

export const Budget = z
  .object({
    host: z.string(),
    kind: z.enum(['registry', 'forge']),
    identity: z
      .string()
      .default('anonymous')
      .openapi({ description: '`anonymous`, or a short hash of the name of the account' }),
    limit: z.number().optional(),
    remaining: z.number().optional(),
    windowSeconds: z.number().optional(),
    pausedUntil: Time.optional(),
    why: z.string().optional(),
    waiting: z.number(),
    spentToday: z.number(),
    seenAt: Time.optional(),
  })
  .openapi('Budget');

export const Hook = z
  .object({
    dialect: z.string().openapi({ example: 'docker-hub' }),
    configured: z.boolean().openapi({ description: 'whether ingot.yaml names it' }),
    counts: z.object({
      accepted: z.number().int().openapi({ description: 'an upstream or the definitions were asked at once' }),
      coalesced: z.number().int().openapi({ description: 'the same had just been asked' }),
      unknown: z.number().int().openapi({ description: 'no image uses that repository' }),
      refused: z.number().int().openapi({ description: 'without the secret' }),
      invalid: z.number().int().openapi({ description: 'not in the form of that sender' }),
    }),
    lastAt: Time.optional(),
    unknown: z.array(z.object({ name: z.string(), count: z.number().int() })),
  })
  .openapi('Hook');

export const NotifyChannel = z
  .object({
    name: z.string(),
    kind: z.string().openapi({ example: 'slack' }),
    sent: z.number().int(),
    waiting: z.number().int(),
    failed: z.number().int().openapi({ description: 'given up' }),
    lastSentAt: Time.optional(),
    lastFailedAt: Time.optional(),
    lastError: z.string().optional(),
    nextTryAt: Time.optional(),
    error: z.string().optional().openapi({ description: 'of the last try of the first that waits' }),
  })
  .openapi('NotifyChannel');
