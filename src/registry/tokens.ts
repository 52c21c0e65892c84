import { createHash } from 'node:crypto';
import { fetchToken, scopesOf, type TokenDeps, type TokenWish } from './token-request.ts';

export interface Tokens {
  get(wish: TokenWish): Promise<string>;
  /** The registry refused a request with this `Authorization` header. */
  forget(authorization: string | undefined): void;
}

interface Entry {
  readonly token: Promise<string>;
  value?: string;
  /** Milliseconds since the epoch. */
  renewAt: number;
}

/** Many images have many scopes; who serves a fleet for months must not keep them all. */
const MAX_ENTRIES = 2_000;

/** Bearer tokens (https://distribution.github.io/distribution/spec/auth/token/), each asked for once while it lasts. */
export function createTokens({ send, now }: TokenDeps): Tokens {
  const entries = new Map<string, Entry>();
  return {
    get(wish) {
      const key = cacheKey(wish);
      const known = entries.get(key);
      if (known !== undefined && now() < known.renewAt) return known.token;
      const asked = now();
      const entry: Entry = {
        renewAt: Number.POSITIVE_INFINITY,
        token: fetchToken(wish, { send, now }).then(
          ({ token, lifetimeMs }) => {
            entry.value = token;
            // Early, for a token must not run out while a request is under way
            entry.renewAt = asked + lifetimeMs - Math.min(30_000, lifetimeMs / 4);
            return token;
          },
          (error: unknown) => {
            if (entries.get(key) === entry) entries.delete(key);
            throw error;
          },
        ),
      };
      entries.delete(key);
      entries.set(key, entry);
      if (entries.size > MAX_ENTRIES) entries.delete(entries.keys().next().value!);
      return entry.token;
    },
    forget(authorization) {
      if (authorization === undefined) return;
      for (const [key, { value }] of entries) {
        if (value !== undefined && authorization === `Bearer ${value}`) entries.delete(key);
      }
    },
  };
}

function cacheKey(wish: TokenWish): string {
  const { challenge, credential } = wish;
  const identity =
    credential === undefined ? '' : createHash('sha256').update(JSON.stringify(credential)).digest('hex');
  return JSON.stringify([challenge.realm, challenge.service, [...scopesOf(wish)].sort(), identity]);
}
