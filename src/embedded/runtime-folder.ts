import { createHash } from 'node:crypto';
import { lstat, mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FactoryError } from '../domain/errors.ts';

/**
 * A short folder for sockets, one for each data directory: socket paths end at 107 bytes (unix(7)), and a data
 * directory may lie deep. Only we may enter it.
 */
export async function ensureRuntimeFolder(dataDirectory: string, uid = process.getuid?.() ?? 0): Promise<string> {
  const name = `ingot-${uid}-${createHash('sha256').update(dataDirectory).digest('hex').slice(0, 12)}`;
  const parents = uid === 0 ? ['/run', '/tmp'] : ['/tmp'];
  for (const parent of parents) {
    const folder = join(parent, name);
    const made = await mkdir(folder, { recursive: true, mode: 0o700 }).then(
      () => true,
      () => false,
    );
    if (made && (await isOurs(folder, uid))) return folder;
  }
  throw new FactoryError(
    `no folder for sockets: ${parents.map((parent) => join(parent, name)).join(' and ')} cannot ` +
      'be made or belong to somebody else; delete them or make the parent writable',
    { code: 'configuration' },
  );
}

/** Removes the folder when no socket is left in it; each start makes it again. */
export async function clearRuntimeFolder(folder: string): Promise<void> {
  await rmdir(folder).catch(() => undefined);
}

/** /tmp is everybody's: a folder that somebody else laid out for us is refused. */
async function isOurs(folder: string, uid: number): Promise<boolean> {
  const stat = await lstat(folder);
  return stat.isDirectory() && stat.uid === uid && (stat.mode & 0o077) === 0;
}
