import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf } from '../domain/digest.ts';
import { apkCacheNames } from '../domain/packages/apk-cache.ts';

/** A verified index, by its address as the build names it. */
export interface ListedApkIndex {
  readonly index: string;
  readonly bytes: Uint8Array;
}

/** Writes the indexes of all platforms as apk keeps them in its cache. Returns a digest over what the archives signed. */
export async function writeApkLists(indexes: readonly ListedApkIndex[], directory: string): Promise<Digest> {
  const written = new Map<string, Digest>();
  for (const { index, bytes } of indexes) {
    for (const name of apkCacheNames(index)) await writeFile(join(directory, name), bytes);
    written.set(index, digestOf(bytes));
  }
  return digestOf(JSON.stringify([...written].sort()));
}
