import { chmod, copyFile, lstat, mkdir, readdir, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stampByContent } from '../lib/stamp.ts';

export interface CopyContextOptions {
  /** Absolute. A folder that does not exist counts as empty. */
  readonly from: string;
  /** Absolute; made when it is not there. */
  readonly to: string;
  /** Only these, relative to `from`; default all. */
  readonly paths?: readonly string[];
  /** Seconds since the epoch: no time is earlier. */
  readonly epoch: number;
}

/**
 * Copies what a build takes from disk, so that the copy depends on contents alone. Modes of a checkout depend on the
 * umask, times on when it was made; BuildKit keeps both, sets back only times that are later than the epoch, and tells
 * the files of one build from those of another by size and time alone.
 */
export async function copyContext({ from, to, paths, epoch }: CopyContextOptions): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const path of paths ?? (await filesOf(from))) {
    const source = join(from, path);
    const { mode } = await lstat(source);
    await mkdir(dirname(join(to, path)), { recursive: true });
    await copyFile(source, join(to, path));
    await chmod(join(to, path), (mode & 0o100) === 0 ? 0o644 : 0o755);
  }
  await stamp(to, epoch);
}

/** Files below a folder; links are refused when definitions are read, and passed over here. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** A folder's time after its contents: writing into it would change it. */
async function stamp(folder: string, epoch: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await stamp(path, epoch);
    else await stampByContent(path, epoch);
  }
  await chmod(folder, 0o755);
  await utimes(folder, epoch, epoch);
}
