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
    /** A version that was given out to a candidate (`note`: its key), so that it is never given again. */
    'version',
    /** A channel is to be at `version` and `digest`; `note`: `back` for a rollback. Written before the tag moves. */
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
  /** Platform manifests behind the digest: the same content under another version has the same. */
  platforms: z.record(z.string(), zDigest).optional(),
  version: z.string().optional(),
  channel: z.string().optional(),
  /** Written for several channels that move in one step; read as one mark for each. */
  channels: z.array(z.string()).optional(),
  until: z.string().optional(),
  /** Anything else that a kind needs, as text. */
  note: z.string().optional(),
});
export type Mark = z.infer<typeof MarkSchema>;

/** The note of a channel mark that goes back on purpose. */
export const BACK = 'back';

/** Artifact type of a mark. */
export const MARK_TYPE = 'application/vnd.ingot.mark.v1+json';

/** A mark for several channels as one mark for each. */
export function eachChannel({ channels, ...mark }: Mark): Mark[] {
  return channels === undefined ? [mark] : channels.map((channel) => ({ ...mark, channel }));
}
