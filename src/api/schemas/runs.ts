import { z } from '@hono/zod-openapi';
import { OUTCOMES } from '../../domain/run.ts';
import { PRIORITIES } from '../../domain/service/views.ts';
import { Digest, ImageName, ReasonText, Time } from './common.ts';
import { Hold, PlanEntry, Reason } from './decisions.ts';

export const RUN_STATES = ['waiting', 'queued', 'running', 'ended'] as const;

const Step = z
  .object({
    name: z.string(),
    platform: z.string().optional(),
    state: z.enum(['running', 'done', 'skipped', 'failed']),
    startedAt: z.number().openapi({ description: 'milliseconds since 1970' }),
    endedAt: z.number().optional(),
    external: z.boolean().openapi({ description: 'the work of a tool of others' }),
    error: z.string().optional(),
  })
  .openapi('Step');

const Word = z.object({ by: z.string(), reason: z.string().optional(), at: Time });

export const Run = z
  .object({
    id: z.string(),
    image: z.string(),
    state: z.enum(RUN_STATES),
    priority: z.enum(PRIORITIES),
    inputs: Digest.optional(),
    reasons: z.array(Reason),
    holds: z.array(Hold),
    platforms: z.array(z.string()),
    startedAt: Time,
    endedAt: Time.optional(),
    outcome: z.enum(OUTCOMES).optional(),
    summary: z.string().optional(),
    differs: z.array(z.string()).optional(),
    version: z.string().optional(),
    digest: Digest.optional().openapi({ description: 'the index that was released, or found equal' }),
    platformDigests: z.record(z.string(), Digest).optional(),
    steps: z.array(Step),
    request: Word.optional().openapi({ description: 'who asked for it' }),
    cancelled: Word.optional().openapi({ description: 'who ended it' }),
  })
  .openapi('Run');

export const RunPage = z
  .object({ items: z.array(Run), next: z.string().optional() })
  .openapi('RunPage', { description: 'newest first; a page may be short, and goes on while there is `next`' });

export const Log = z
  .object({ platform: z.string(), lines: z.array(z.string()) })
  .openapi('Log', { description: 'the last lines that a build printed' });

const Upstream = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[\w.:/@-]+$/)
  .openapi({ example: 'debian:12-slim' });

export const RebuildBody = z
  .strictObject({
    images: z.array(ImageName).min(1).max(1000).optional(),
    upstreams: z.array(Upstream).min(1).max(100).optional().openapi({ description: 'every image that uses one' }),
    reason: ReasonText.optional(),
    dryRun: z.boolean().optional().openapi({ description: 'only say what would be done' }),
    priority: z.enum(PRIORITIES).optional(),
  })
  .refine(({ images, upstreams }) => images !== undefined || upstreams !== undefined, {
    message: 'name "images" or "upstreams"',
  })
  .openapi('Rebuild', { anyOf: [{ required: ['images'] }, { required: ['upstreams'] }] });

export const RebuildAnswer = z
  .object({
    runs: z.array(Run).openapi({ description: 'one for each image; one that waits already is given again' }),
    plan: z.array(PlanEntry).optional().openapi({ description: 'of a dry run' }),
  })
  .openapi('RebuildAnswer');
