import { FactoryError } from '../errors.ts';
import { matchesGlob } from './glob.ts';

/** What somebody may do, each all of the one before: ask; start and stop runs; decide what is in use. */
export const ACCESS_ROLES = ['viewer', 'operator', 'admin'] as const;
export type AccessRole = (typeof ACCESS_ROLES)[number];

/** Who asks, as their credential says. */
export interface Principal {
  /** What reasons and the audit log say: `token ci-python`, `github repo:acme/app:ref:refs/heads/main`. */
  readonly name: string;
  readonly role: AccessRole;
  /** Globs of images that they may see and change; `*` alone is the whole fleet. */
  readonly images: readonly string[];
  /** Which credential: rate limits and idempotency keys belong to it. Not secret. */
  readonly key: string;
}

export type AccessErrorCode =
  /** No credential, or one that does not hold. */
  | 'unauthenticated'
  /** A good credential that does not reach so far. */
  | 'forbidden'
  /** Who would vouch for the credential does not answer. */
  | 'unavailable';

export class AccessError extends FactoryError<AccessErrorCode> {}

export function hasRole({ role }: Pick<Principal, 'role'>, needed: AccessRole): boolean {
  return ACCESS_ROLES.indexOf(role) >= ACCESS_ROLES.indexOf(needed);
}

export function coversImage({ images }: Pick<Principal, 'images'>, image: string): boolean {
  return images.some((glob) => matchesGlob(glob, image));
}

/** What concerns every image is for those alone whose credential is not limited to some. */
export function coversFleet({ images }: Pick<Principal, 'images'>): boolean {
  return images.includes('*');
}
