import { z } from 'zod';
import { zDigest } from './digest.ts';

/**
 * What people and ingot itself decided about an image beyond its definition, kept in its release repository and
 * nowhere else (decisions 13). A log that only grows: state is what the marks, oldest first, add up to.
 */
export const MarkSchema = z.object({
  kind: z.enum([
    'quarantine',
    'unquarantine',
    'pause',
    'resume',
    /** A version that was given out, so that it is never given again, also when its tag was deleted. */
    'version',
    /** A channel that moved: `channel`, `version`, `digest`. */
    'channel',
    'approval',
    'adopted',
  ]),
  /** RFC 3339, UTC, with milliseconds: the order of the log. */
  at: z.string(),
  by: z.string(),
  reason: z.string().optional(),
  digest: zDigest.optional(),
  /** Inputs digest that made the digest. */
  inputs: zDigest.optional(),
  version: z.string().optional(),
  channel: z.string().optional(),
  until: z.string().optional(),
  /** Anything else that a kind needs, as text. */
  note: z.string().optional(),
});
export type Mark = z.infer<typeof MarkSchema>;

/** Artifact type of a mark. */
export const MARK_TYPE = 'application/vnd.ingot.mark.v1+json';
