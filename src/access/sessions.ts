import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { ACCESS_ROLES, AccessError, type Principal } from '../domain/access/principal.ts';

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
  readonly directory: string;
  readonly now?: () => Date;
  /** A session from a token ends with the token. */
  readonly holds: (tokenId: string) => Promise<boolean>;
}

export async function createSessions({ directory, holds, now = () => new Date() }: SessionOptions): Promise<Sessions> {
  const ended = join(directory, 'ended-sessions');
  await mkdir(ended, { recursive: true, mode: 0o700 });
  const key = await readKey(join(directory, 'session.key'));
  await forget(ended, now());
  return {
    async start(principal) {
      const [jti, csrf] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
      const exp = Math.floor(now().getTime() / 1000) + SESSION_HOURS * 3600;
      const cookie = await new SignJWT({ ...principal, csrf, jti, exp })
        .setProtectedHeader({ alg: ALGORITHM })
        .sign(key);
      return { cookie, session: toSession({ ...principal, images: [...principal.images], csrf, jti, exp }) };
    },
    async read(cookie) {
      const claims = await jwtVerify(cookie, key, { algorithms: [ALGORITHM], currentDate: now() })
        .then(({ payload }) => Claims.parse(payload))
        .catch((cause: unknown) => {
          throw new AccessError('the session is over; sign in again', { code: 'unauthenticated', cause });
        });
      const token = /^token:(.+)$/.exec(claims.key)?.[1];
      if ((await isThere(join(ended, claims.jti))) || (token !== undefined && !(await holds(token)))) {
        throw new AccessError('the session was ended; sign in again', { code: 'unauthenticated' });
      }
      return toSession(claims);
    },
    end: ({ id }) => writeFile(join(ended, id), '', { mode: 0o600 }),
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

/** Made at first use; whoever has it could sign sessions. */
async function readKey(path: string): Promise<Uint8Array> {
  await writeFile(path, randomBytes(32), { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return readFile(path);
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A session that would be over by now needs no note that it was ended. */
async function forget(folder: string, now: Date): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (now.getTime() - mtimeMs > SESSION_HOURS * 3600_000) await rm(path, { force: true });
  }
}
