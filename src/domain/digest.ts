import { createHash } from 'node:crypto';
import { z } from 'zod';

/** A content digest, always sha256 (`sha256:` and 64 lower-case hex digits; OCI image-spec v1.1, Digests). */
export type Digest = `sha256:${string}`;

const FORMAT = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return FORMAT.test(text);
}

/** A digest at an edge. */
export const zDigest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'no sha256 digest');

export function digestOf(content: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** The hex part alone: fit for tags, job ids and file names, where a colon is not. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** The first 12 hex digits, as people compare digests by eye. */
export function shortDigest(digest: Digest): string {
  return hexOf(digest).slice(0, 12);
}
