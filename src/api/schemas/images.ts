import { z } from '@hono/zod-openapi';
import { Digest, ForeignTime, ReasonText, Time } from './common.ts';
import { Hold, Pause, PlanState, Quarantine, Reason, Release } from './decisions.ts';
import { Run } from './runs.ts';

const Owner = z.object({ team: z.string(), contact: z.string().optional() });

export const Waiver = z
  .object({
    id: z.string().openapi({ example: 'CVE-2026-1234' }),
    package: z.string().optional(),
    reason: z.string(),
    until: z.string().openapi({ format: 'date' }),
  })
  .openapi('Waiver');

/** Of a definition what others may want to know; no paths of the machine that read it. */
const Definition = z
  .object({
    description: z.string().optional(),
    owners: z.array(Owner),
    line: z.string().openapi({ example: '3.11' }),
    platforms: z.array(z.string()),
    recipe: z.object({ kind: z.enum(['rendered', 'own']) }),
    inputs: z.array(z.object({ role: z.enum(['base', 'input']), written: z.string() })),
    waivers: z.array(Waiver),
  })
  .openapi('Definition');

export const Image = z
  .object({
    name: z.string(),
    definition: Definition,
    repository: z.string(),
    parents: z.array(z.string()),
    children: z.array(z.string()),
    state: PlanState,
    reasons: z.array(Reason),
    holds: z.array(Hold),
    unknown: z.string().optional(),
    release: Release.optional(),
    paused: Pause.optional(),
    quarantined: z.array(Quarantine),
    lastRun: Run.optional(),
    checkedAt: Time.optional(),
  })
  .openapi('Image');

const Figures = z.object({
  digest: Digest,
  size: z.number().int().openapi({ description: 'compressed bytes of all layers' }),
  packages: z.number().int().optional(),
  findings: z
    .record(z.string(), z.number().int())
    .optional()
    .openapi({ description: 'known at its release, by severity' }),
});

export const History = z
  .object({
    releases: z.array(
      z.object({
        version: z.string(),
        digest: Digest,
        created: ForeignTime.optional(),
        platforms: z.record(z.string(), Figures),
      }),
    ),
    readAt: Time.optional(),
    reading: z.boolean().openapi({ description: 'more is being read; ask again' }),
    unknown: z.string().optional().openapi({ description: 'why it could not be read' }),
  })
  .openapi('History');

export const Difference = z
  .object({
    state: z.enum(['done', 'running', 'failed']),
    diff: z
      .looseObject({ platforms: z.array(z.looseObject({ platform: z.string(), state: z.string() })) })
      .optional()
      .openapi({ description: 'the document of `ingot diff --json`' }),
    why: z.string().optional(),
  })
  .openapi('Difference');

const Version = z
  .string()
  .regex(/^\d{1,9}\.\d{1,9}\.\d{1,9}$/)
  .openapi({ example: '3.11.4' });
export const DiffQuery = z.object({
  before: Version.openapi({ param: { name: 'before', in: 'query' } }),
  after: Version.openapi({ param: { name: 'after', in: 'query' } }),
});

const VersionOrDigest = z
  .string()
  .regex(/^(\d{1,9}\.\d{1,9}\.\d{1,9}|sha256:[0-9a-f]{64})$/)
  .openapi({ example: '3.11.4' });

export const RollbackBody = z
  .strictObject({
    to: z
      .string()
      .regex(/^\d{1,9}\.\d{1,9}\.\d{1,9}$/)
      .optional()
      .openapi({ description: 'default: the newest before that is not quarantined', example: '3.11.3' }),
    reason: ReasonText,
  })
  .openapi('Rollback');

export const RollbackAnswer = z
  .object({
    image: z.string(),
    version: z.string(),
    digest: Digest,
    left: z.array(z.object({ version: z.string(), digest: Digest })),
    channels: z.array(z.string()),
    already: z.boolean(),
  })
  .openapi('RollbackAnswer');

export const QuarantineBody = z
  .strictObject({ what: VersionOrDigest, reason: ReasonText })
  .openapi('QuarantineRequest');
export const UnquarantineBody = z
  .strictObject({ what: VersionOrDigest, reason: ReasonText.optional() })
  .openapi('UnquarantineRequest');

export const QuarantineAnswer = z
  .object({ image: z.string(), digest: Digest, version: z.string().optional(), changed: z.boolean() })
  .openapi('QuarantineAnswer');

/** `4h`, `2d`, or a moment that has its zone. */
const UNTIL =
  /^([1-9]\d{0,3}[mhd]|2\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-](0\d|1[0-2]):[0-5]\d))?)$/;

export const PauseBody = z
  .strictObject({
    reason: ReasonText,
    until: z.string().regex(UNTIL).optional().openapi({ description: 'it ends by itself', example: '4h' }),
  })
  .openapi('PauseRequest');
