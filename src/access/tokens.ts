import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AccessError, type Principal } from '../domain/access/principal.ts';
import {
  formatToken,
  hashToken,
  principalOfToken,
  refusalOf,
  TokenRecord,
  tokenId,
  withoutTokens,
} from '../domain/access/token.ts';
import { FactoryError } from '../domain/errors.ts';
import { writeWhole } from '../lib/write-whole.ts';

/** Tokens in a folder, a file each, without their secrets: it may as well be a mounted secret that others fill. */
export interface TokenStore {
  /** @returns the token itself: it is told this once, and kept nowhere */
  create(wanted: NewToken): Promise<{ readonly token: string; readonly record: TokenRecord }>;
  /** Newest first. */
  list(): Promise<readonly TokenRecord[]>;
  /** @param what an id, or a name that one token alone has @throws FactoryError `usage` */
  revoke(what: string): Promise<TokenRecord>;
  /** Reads the folder anew each time, so that what is revoked is refused at once. @throws AccessError `unauthenticated` */
  verify(token: string): Promise<Principal>;
  /** Whether a token by this id holds still. */
  holds(id: string): Promise<boolean>;
}

export type NewToken = Pick<TokenRecord, 'name' | 'role' | 'images' | 'expiresAt' | 'createdBy'>;

export function createTokenStore({
  directory,
  now = () => new Date(),
  random = randomBytes,
}: {
  readonly directory: string;
  readonly now?: () => Date;
  readonly random?: (size: number) => Uint8Array;
}): TokenStore {
  const pathOf = (id: string) => join(directory, `${id}.json`);
  const read = async (id: string) => parseRecord(await readIfThere(pathOf(id)), pathOf(id));
  const write = (record: TokenRecord) => writeWhole(pathOf(record.id), `${JSON.stringify(record, null, 2)}\n`);
  const list = async () => {
    const names = await readdir(directory).catch(() => []);
    const ids = names.flatMap((name) => /^([0-9a-f]{12})\.json$/.exec(name)?.[1] ?? []);
    const records = (await Promise.all(ids.map(read))).filter((record) => record !== undefined);
    return records.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  };
  return {
    list,
    async create(wanted) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const id = Buffer.from(random(6)).toString('hex');
      const token = formatToken(id, random(32));
      const record = { id, ...wanted, hash: hashToken(token), createdAt: now().toISOString() };
      await write(record);
      return { token, record };
    },
    async revoke(what) {
      const record = only(
        what,
        (await list()).filter(({ id, name }) => id === what || name === what),
      );
      const revoked = { ...record, revokedAt: record.revokedAt ?? now().toISOString() };
      await write(revoked);
      return revoked;
    },
    async verify(token) {
      const id = tokenId(token);
      const record = id === undefined ? undefined : await read(id);
      const why = refusalOf(record, token, now().toISOString());
      if (why !== undefined || record === undefined) throw new AccessError(`${why}`, { code: 'unauthenticated' });
      return principalOfToken(record);
    },
    async holds(id) {
      const record = await read(id);
      return record !== undefined && record.revokedAt === undefined && Date.parse(record.expiresAt) > now().getTime();
    },
  };
}

function only(what: string, found: readonly TokenRecord[]): TokenRecord {
  const holding = found.length > 1 ? found.filter(({ revokedAt }) => revokedAt === undefined) : found;
  if (holding.length === 1) return holding[0]!;
  // A whole token, pasted by mistake, is not said again
  const shown = withoutTokens(what);
  const why =
    holding.length === 0 ? `there is no token ${shown}` : `several tokens are called ${shown}; name one by id`;
  throw new FactoryError(`${why} ("ingot token list" shows them)`, { code: 'usage' });
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new FactoryError(`${path} cannot be read: ${error.message}`, { code: 'configuration', cause: error });
  });
}

function parseRecord(text: string | undefined, path: string): TokenRecord | undefined {
  if (text === undefined) return undefined;
  try {
    return TokenRecord.parse(JSON.parse(text));
  } catch (cause) {
    const remedy = 'remove it, and create a token anew';
    throw new FactoryError(`${path} is not the record of a token; ${remedy}`, { code: 'configuration', cause });
  }
}
