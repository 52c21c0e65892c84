import { randomBytes, timingSafeEqual } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { ACCESS_ROLES, AccessError, type Principal } from '../domain/access/principal.ts';
import type { AccessStore } from '../ledger/access.ts';

export const SESSION_HOURS = 12;
const ALGORITHM = 'HS256';

/** A person's browser that has signed in. */
export interface Session {
  readonly id: string;
  readonly principal: Principal;
  /** What forms and scripts of our own pages send along: another site cannot read it. */
  readonly csrf: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/** Sessions that a signed cookie carries: nothing is kept but which ones were ended. */
export interface Sessions {
  /** @returns the value of the cookie */
  start(principal: Principal): Promise<{ readonly cookie: string; readonly session: Session }>;
  /** @throws AccessError `unauthenticated` */
  read(cookie: string): Promise<Session>;
  end(session: Session): Promise<void>;
}

const Claims = z.object({
  jti: z.string().regex(/^[0-9a-f]{32}$/),
  exp: z.number(),
  name: z.string(),
  role: z.enum(ACCESS_ROLES),
  images: z.array(z.string()),
  key: z.string(),
  csrf: z.string(),
});

export interface SessionOptions {
  /** Where all processes that serve the API keep the key, and which sessions were ended. */
  readonly store: Pick<AccessStore, 'sessionKey' | 'endSession' | 'isSessionEnded'>;
  readonly now?: () => Date;
  /** A session from a token ends with the token. */
  readonly holds: (tokenId: string) => Promise<boolean>;
}

const SESSION_MS = SESSION_HOURS * 3600_000;

export function createSessions({ store, holds, now = () => new Date() }: SessionOptions): Sessions {
  // Asked each time: where it was lost, all go on with the same new one
  const readKey = () => store.sessionKey(randomBytes(32));
  return {
    async start(principal) {
      const [jti, csrf] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
      const exp = Math.floor((now().getTime() + SESSION_MS) / 1000);
      const cookie = await new SignJWT({ ...principal, csrf, jti, exp })
        .setProtectedHeader({ alg: ALGORITHM })
        .sign(await readKey());
      return { cookie, session: toSession({ ...principal, images: [...principal.images], csrf, jti, exp }) };
    },
    async read(cookie) {
      const key = await readKey();
      const claims = await jwtVerify(cookie, key, { algorithms: [ALGORITHM], currentDate: now() })
        .then(({ payload }) => Claims.parse(payload))
        .catch((cause: unknown) => {
          throw new AccessError('the session is over; sign in again', { code: 'unauthenticated', cause });
        });
      const token = /^token:(.+)$/.exec(claims.key)?.[1];
      if ((await store.isSessionEnded(claims.jti)) || (token !== undefined && !(await holds(token)))) {
        throw new AccessError('the session was ended; sign in again', { code: 'unauthenticated' });
      }
      return toSession(claims);
    },
    end: ({ id }) => store.endSession(id, SESSION_MS),
  };
}

/** Whether a request was sent by one of our own pages. */
export function isOwnForm({ csrf }: Session, given: string | undefined): boolean {
  const [a, b] = [Buffer.from(csrf), Buffer.from(given ?? '')];
  return a.length === b.length && timingSafeEqual(a, b);
}

function toSession({ jti, exp, csrf, ...principal }: z.infer<typeof Claims>): Session {
  const { name, role, images, key } = principal;
  return {
    id: jti,
    csrf,
    principal: { name, role, images, key },
    expiresAt: new Date(exp * 1000).toISOString(),
  };
}
