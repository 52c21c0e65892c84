import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, hexOf } from '../domain/digest.ts';
import type { PackageState } from '../domain/packages/state.ts';
import type { Call } from '../registry/registry.ts';
import type { ListedArchives } from './archives.ts';

export interface ListFoldersOptions {
  readonly archives: ListedArchives;
  /** Everything below it is ours. */
  readonly directory: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** In which the lists of the same images are not written again. */
const FRESH_MS = 10 * 60_000;

/** No build takes as long; what was not used for longer goes. */
const KEPT_MS = 24 * 3600_000;

/** Keeps each state of the archives in a folder of its own, named by what the archives signed. */
export function createListFolders({ archives, directory, now }: ListFoldersOptions) {
  const taken = new Map<string, { readonly at: number; readonly lists: Promise<Digest> }>();
  const write = async (states: readonly PackageState[], call: Call): Promise<Digest> => {
    await mkdir(directory, { recursive: true });
    await removeOld(directory, now() - KEPT_MS);
    const scratch = await mkdtemp(join(directory, 'new-'));
    try {
      const lists = await archives.lists(states, scratch, call);
      await chmod(scratch, 0o755);
      // One that is there already has the same content, and may be in use.
      await rename(scratch, join(directory, hexOf(lists))).catch(() => undefined);
      return lists;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  };
  return {
    /** Those that name the same archives share a folder. */
    async take(states: readonly PackageState[], call: Call): Promise<Digest> {
      const key = states.map(({ digest }) => digest).join(' ');
      const known = taken.get(key);
      if (known !== undefined && now() - known.at < FRESH_MS) return known.lists;
      const lists = write(states, call);
      taken.set(key, { at: now(), lists });
      lists.catch(() => taken.delete(key));
      return lists;
    },
    async find(lists: Digest): Promise<string | undefined> {
      const folder = join(directory, hexOf(lists));
      const used = now() / 1000;
      return utimes(folder, used, used).then(
        () => folder,
        () => undefined,
      );
    },
  };
}

async function removeOld(directory: string, before: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < before) await rm(path, { recursive: true, force: true });
  }
}
