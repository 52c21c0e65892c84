import { mkdir, statfs } from 'node:fs/promises';
import type { DiskRoom } from '../domain/staleness.ts';

/** What a build of a large image may write: context, snapshots, layers. */
const NEEDED_BYTES = 2 * 1024 ** 3;

/** How much room there is where a folder is, and how much builds need. The folder is made if there is none. */
export async function diskRoom(folder: string): Promise<DiskRoom> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, neededBytes: NEEDED_BYTES };
}
