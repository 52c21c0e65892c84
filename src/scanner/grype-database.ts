import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { ScannerError } from './scanner.ts';
import { lastLines, runTool, toolError, withToolFolder } from './tool.ts';

export interface DatabaseOptions {
  readonly grype: string;
  readonly databaseDirectory: string;
  readonly database?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Nothing is fetched unasked: what is found must not depend on when somebody ran grype. */
export const GRYPE_ENVIRONMENT = { GRYPE_CHECK_FOR_APP_UPDATE: 'false', GRYPE_DB_AUTO_UPDATE: 'false' } as const;

/** What a person can do about a missing database. */
export const DATABASE_REMEDY =
  'let this machine reach the network so that grype fetches one, or name an archive of one as "scan: { database: … }" in ingot.yaml';

export interface Databases {
  /**
   * Environment that makes grype use one complete database: the configured archive, imported when its content is new,
   * or grype's own, updated every few hours.
   * @throws ScannerError `no-database`, `unavailable`, `cancelled`
   */
  current(signal?: AbortSignal): Promise<Readonly<Record<string, string>>>;
}

export function createDatabases(options: DatabaseOptions): Databases {
  const { databaseDirectory, database, now = Date.now } = options;
  const once = createOnce();
  if (database === undefined) {
    const folder = join(databaseDirectory, 'grype');
    return {
      async current(signal) {
        await orAborted(() => once.run(`update ${slotOf(now())}`, () => update(options, folder)), signal);
        return { GRYPE_DB_CACHE_DIR: folder };
      },
    };
  }
  const locate = async (): Promise<string> => {
    const { key, name } = /^https?:\/\//.test(database) ? addressed(database) : await stored(database);
    const folder = await once.run(key, async () => importArchive(options, { archive: database, name: await name() }));
    if (await exists(folder)) return folder;
    once.forget(key); // another process has cleared it away
    return locate();
  };
  return {
    async current(signal) {
      // An archive that somebody chose may be as old as they like.
      return { GRYPE_DB_CACHE_DIR: await orAborted(locate, signal), GRYPE_DB_VALIDATE_AGE: 'false' };
    },
  };
}

/** A factory runs for months, and grype's databases are a day old at most when they are published. */
const UPDATE_MS = 3 * 3600_000;

function slotOf(time: number): number {
  return Math.floor(time / UPDATE_MS);
}

/** What tells that an archive is the one seen before, and the folder that it belongs in, when that is known before. */
interface Identity {
  readonly key: string;
  name(): Promise<string | undefined>;
}

function addressed(url: string): Identity {
  const hex = /[?&]checksum=sha256(?::|%3A)([0-9a-f]{64})/i.exec(url)?.[1];
  return { key: url, name: async () => hex && `sha256-${hex.toLowerCase()}` };
}

async function stored(file: string): Promise<Identity> {
  const { size, mtimeMs, ino } = await stat(file).catch(() => {
    throw new ScannerError(`there is no vulnerability database at ${file}`, { code: 'no-database' });
  });
  return { key: `${ino} ${size} ${mtimeMs}`, name: async () => `sha256-${await sha256(file)}` };
}

interface Archive {
  readonly archive: string;
  /** Name of the folder, when the content is known before: its checksum. */
  readonly name?: string | undefined;
}

/** Imports into a new folder and renames it, so that no reader sees half a database and of two importers one wins. */
async function importArchive(options: DatabaseOptions, { archive, name }: Archive): Promise<string> {
  const { grype, databaseDirectory } = options;
  const known = name && join(databaseDirectory, name);
  if (known && (await exists(known))) return known;
  await mkdir(databaseDirectory, { recursive: true });
  const draft = await mkdtemp(join(databaseDirectory, '.import-'));
  try {
    await grypeDb(grype, ['import', archive], draft).then(({ exitCode, stderr }) => {
      if (exitCode !== 0) throw toolError(`the vulnerability database ${archive} could not be imported`, stderr);
    });
    const folder = join(databaseDirectory, name ?? (await importedName(draft)));
    await prune(databaseDirectory, draft);
    await rename(draft, folder).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error; // else another import was first
    });
    return folder;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

const DAY_MS = 24 * 60 * 60_000;

/** Removes what was imported, or begun, more than a day before this draft: its readers are gone. */
async function prune(directory: string, draft: string): Promise<void> {
  const { mtimeMs } = await stat(draft);
  for (const name of await readdir(directory)) {
    if (!/^(\.import-|sha256-|xxh64-)/.test(name)) continue;
    const other = await stat(join(directory, name)).catch(() => undefined);
    if (other !== undefined && other.mtimeMs < mtimeMs - DAY_MS)
      await rm(join(directory, name), { recursive: true, force: true });
  }
}

const Imported = z.object({ digest: z.string().regex(/^xxh64:[0-9a-f]+$/) });

/** grype's own checksum of the database, in `<folder>/<schema>/import.json`. */
async function importedName(draft: string): Promise<string> {
  const [schema = ''] = await readdir(draft);
  const text = await readFile(join(draft, schema, 'import.json'), 'utf8');
  return Imported.parse(JSON.parse(text)).digest.replace(':', '-');
}

/** An update that fails does no harm while there is a database; grype itself says when it is too old. */
async function update({ grype }: DatabaseOptions, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { exitCode, stderr } = await grypeDb(grype, ['update'], folder);
  if (exitCode === 0 || (await readdir(folder)).length > 0) return;
  const message = `there is no vulnerability database, and none could be fetched (${lastLines(stderr)}); ${DATABASE_REMEDY}`;
  throw new ScannerError(message, { code: 'no-database' });
}

function grypeDb(grype: string, args: readonly string[], folder: string) {
  return withToolFolder(({ path, config }) =>
    runTool(grype, ['db', ...args, '--config', config], {
      cwd: path,
      env: { ...GRYPE_ENVIRONMENT, GRYPE_DB_VALIDATE_AGE: 'false', GRYPE_DB_CACHE_DIR: folder },
    }),
  );
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Runs each thing once, shared by all who ask; what failed is tried again. */
function createOnce() {
  const done = new Map<string, Promise<unknown>>();
  return {
    run<T>(key: string, act: () => Promise<T>): Promise<T> {
      const known = done.get(key) as Promise<T> | undefined;
      if (known !== undefined) return known;
      const work = act();
      done.set(key, work);
      work.catch(() => done.delete(key));
      return work;
    },
    forget: (key: string) => done.delete(key),
  };
}

/** Work that others share goes on when one of them leaves; who has left already does not begin it. */
function orAborted<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work();
  return new Promise((resolve, reject) => {
    const leave = () => reject(new ScannerError('the scan was cancelled', { code: 'cancelled' }));
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', leave));
  });
}
