import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { ACCESS_ROLES, type Principal } from './principal.ts';

/** A token as it is kept: its secret only as a hash. Times are RFC 3339, UTC. */
export const TokenRecord = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  name: z.string().min(1),
  role: z.enum(ACCESS_ROLES),
  images: z.array(z.string().min(1)).min(1),
  /** sha256 of the whole token, hex. With 256 bits of chance in it, a slow hash would add nothing. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.string(),
  createdBy: z.string(),
  expiresAt: z.string(),
  revokedAt: z.string().optional(),
});
export type TokenRecord = z.infer<typeof TokenRecord>;

const FORMAT = /^ingot_([0-9a-f]{12})_[0-9a-f]{64}$/;

/** `ingot_`, 6 bytes that name it, 32 bytes that nobody can guess. */
export function formatToken(id: string, secret: Uint8Array): string {
  return `ingot_${id}_${Buffer.from(secret).toString('hex')}`;
}

/** The id in a token; `undefined` when it is none of ours. */
export function tokenId(token: string): string | undefined {
  return FORMAT.exec(token)?.[1];
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Why a token does not hold, or nothing. @param now RFC 3339 */
export function refusalOf(record: TokenRecord | undefined, token: string, now: string): string | undefined {
  if (record === undefined || !isSame(record.hash, hashToken(token))) return 'the token is not known here';
  if (record.revokedAt !== undefined) return `the token ${record.name} was revoked at ${record.revokedAt}`;
  return Date.parse(record.expiresAt) <= Date.parse(now)
    ? `the token ${record.name} expired at ${record.expiresAt}`
    : undefined;
}

export function principalOfToken({ id, name, role, images }: TokenRecord): Principal {
  return { name: `token ${name}`, role, images, key: `token:${id}` };
}

function isSame(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
}

/** Blots out what looks like a credential in what people wrote: tokens of ours, and JSON Web Tokens. */
export function withoutTokens(text: string): string {
  return text
    .replace(/ingot_([0-9a-f]{12})_[0-9a-f]+/g, 'ingot_$1_***')
    .replace(/\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g, 'eyJ***');
}
