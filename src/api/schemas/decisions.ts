import { z } from '@hono/zod-openapi';
import { Digest, ForeignTime, PlatformDigests, Time } from './common.ts';

/** Kinds are words of docs/staleness.md; further fields depend on the kind. */
export const Reason = z
  .looseObject({ kind: z.string().openapi({ example: 'base-changed' }), text: z.string() })
  .openapi('Reason', {
    description: 'why an image is rebuilt; `text` is for people, further fields depend on the kind',
  });
export const Hold = z
  .looseObject({ kind: z.string().openapi({ example: 'settling' }), text: z.string() })
  .openapi('Hold', {
    description: 'why a stale image is not rebuilt now; `text` is for people, further fields depend on the kind',
  });

export const PLAN_STATES = ['fresh', 'rebuild', 'running', 'held', 'unknown'] as const;
export const PlanState = z.enum(PLAN_STATES);

export const Release = z
  .object({
    version: z.string().openapi({ example: '3.11.4' }),
    digest: Digest,
    created: ForeignTime.optional(),
    platforms: PlatformDigests,
  })
  .openapi('Release');

export const ListedRelease = Release.extend({ quarantined: z.boolean() }).openapi('ListedRelease');

export const PlanEntry = z
  .object({
    image: z.string(),
    state: PlanState,
    reasons: z.array(Reason),
    holds: z.array(Hold),
    unknown: z.string().optional().openapi({ description: 'what could not be asked' }),
    doubts: z.array(z.string()).optional(),
    notes: z.array(z.string()).optional(),
    release: Release.optional(),
  })
  .openapi('PlanEntry');

export const Plan = z.object({ at: Time, entries: z.array(PlanEntry) }).openapi('Plan');

export const Pause = z.object({ by: z.string(), at: Time, why: z.string(), until: Time.optional() }).openapi('Pause');

export const Quarantine = z
  .object({ digest: Digest, version: z.string().optional(), why: z.string(), by: z.string(), at: Time })
  .openapi('Quarantine');
