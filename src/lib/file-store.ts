import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Files by name in one folder that may be lost at any time: what a cache is made of. */
export interface FileStore {
  /** `undefined` when it is not there. Reading keeps it from being pruned soon. */
  read(name: string): Promise<Buffer | undefined>;
  /** Nobody ever reads half of it, whoever else writes it at the same time. */
  write(name: string, content: Uint8Array | string): Promise<void>;
}

export interface FileStoreOptions {
  readonly directory: string;
  /** When there is more, the longest unused files go. */
  readonly maxBytes: number;
}

/** Of the limit that may be written until the folder is looked through again. */
const SLACK = 1 / 16;

/** A folder of files that stays below a size. Names are our own: no slash in them. */
export function createFileStore({ directory, maxBytes }: FileStoreOptions): FileStore {
  let unseen = Number.POSITIVE_INFINITY;
  return {
    async read(name) {
      const path = join(directory, name);
      const content = await readFile(path).catch(() => undefined);
      const now = new Date();
      if (content !== undefined) await utimes(path, now, now).catch(() => undefined);
      return content;
    },
    async write(name, content) {
      await mkdir(directory, { recursive: true });
      const partial = join(directory, `${name}.${randomBytes(6).toString('hex')}${PARTIAL}`);
      try {
        await writeFile(partial, content, { mode: 0o600 });
        await rename(partial, join(directory, name));
      } catch (error) {
        await rm(partial, { force: true });
        throw error;
      }
      unseen += content.length;
      if (unseen <= maxBytes * SLACK) return;
      unseen = 0;
      await prune(directory, maxBytes);
    },
  };
}

const PARTIAL = '.partial';
/** No write takes as long; what is older was left by a process that was killed. */
const PARTIAL_MS = 3_600_000;

async function prune(directory: string, maxBytes: number): Promise<void> {
  const names = await readdir(directory);
  const found = await Promise.all(names.map((name) => describeFile(join(directory, name))));
  const files = found.flatMap((file) => file ?? []).sort((a, b) => b.used - a.used);
  const newest = files[0]?.used ?? 0;
  let total = 0;
  for (const { path, size, used } of files) {
    const abandoned = path.endsWith(PARTIAL) && newest - used > PARTIAL_MS;
    total += size;
    if (total > maxBytes || abandoned) await rm(path, { force: true });
  }
}

async function describeFile(path: string) {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : { path, size: found.size, used: found.mtimeMs };
}
