import { z } from '@hono/zod-openapi';
import { FRESHNESS_STAGES } from '../../domain/freshness.ts';
import { Digest, ForeignTime, Time } from './common.ts';

const Sample = z
  .object({
    id: z.string(),
    image: z.string(),
    kind: z.enum(['upstream', 'fix']).openapi({
      description: 'an image outside the fleet moved, or a critical or exploited vulnerability came to have a fix',
    }),
    upstream: z.string().openapi({ description: 'the upstream that moved, or the source package that was fixed' }),
    digest: Digest.optional(),
    tag: z.string().optional(),
    findings: z.array(z.string()).optional(),
    fixed: z.string().optional(),
    changedAt: Time,
    detectedAt: Time,
    detectedBy: z.enum(['watch', 'webhook']).optional(),
    platforms: z
      .record(z.string(), z.object({ createdAt: ForeignTime.optional(), builtAt: Time.optional() }))
      .optional()
      .openapi({ description: 'those whose content changed' }),
    holds: z
      .record(z.string(), z.object({ at: Time, why: z.string() }))
      .optional()
      .openapi({ description: 'what held it up, by kind of hold' }),
    run: z.string().optional(),
    version: z.string().optional(),
    release: Digest.optional(),
    outcome: z
      .enum(['released', 'unchanged'])
      .optional()
      .openapi({ description: 'absent: the change is not released yet' }),
    releasedAt: Time.optional(),
    pulls: z
      .record(
        z.string(),
        z.object({
          repository: z.string(),
          number: z.number().int(),
          branch: z.string(),
          openedAt: Time,
          mergedAt: Time.optional(),
          closedAt: Time.optional(),
        }),
      )
      .optional(),
  })
  .openapi('FreshnessSample');

const Percentiles = z
  .object({ count: z.number().int(), p50: z.number().optional(), p95: z.number().optional() })
  .openapi('Percentiles', { description: 'seconds from the change outside; of values that were measured' });

const Group = z
  .object({
    key: z.string().openapi({ description: 'an image, or a month as in 2026-11' }),
    count: z.number().int(),
    stages: z.object(
      Object.fromEntries(FRESHNESS_STAGES.map((stage) => [stage, Percentiles])) as Record<
        (typeof FRESHNESS_STAGES)[number],
        typeof Percentiles
      >,
    ),
  })
  .openapi('FreshnessGroup');

const Breach = z
  .object({
    image: z.string(),
    goal: z.enum(['detect', 'release', 'critical']),
    goalSeconds: z.number(),
    seconds: z.number(),
    upstream: z.string(),
    findings: z.array(z.string()).optional(),
    changedAt: Time,
    running: z.boolean().openapi({ description: 'the change is not released yet' }),
    unseen: z
      .boolean()
      .optional()
      .openapi({ description: 'the upstream could not be asked since changedAt: nobody knows whether it changed' }),
    since: Time.openapi({ description: 'since when the goal is not kept' }),
    releasedAt: Time.optional(),
    why: z.string().optional(),
    reason: z.string().openapi({ description: 'all of it in one line' }),
  })
  .openapi('FreshnessBreach');

export const Freshness = z
  .object({
    goals: z.object({
      detectSeconds: z.number().optional(),
      releaseSeconds: z.number().optional(),
      criticalSeconds: z.number().optional(),
    }),
    breaches: z.array(Breach),
    byImage: z.array(Group),
    byMonth: z.array(Group),
    items: z.array(Sample).openapi({ description: 'the newest change first' }),
  })
  .openapi('Freshness');
