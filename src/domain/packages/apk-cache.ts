import { createHash } from 'node:crypto';

/**
 * The names under which apk looks for an index in its cache: 2.14 takes eight digits of SHA-1 over the address, 3.0 of
 * SHA-256 (src/database.c of both, `APKINDEX.${hash:8}.tar.gz`).
 * @param index the whole address, as the image's repositories make it
 */
export function apkCacheNames(index: string): readonly string[] {
  return ['sha1', 'sha256'].map((type) => {
    const hash = createHash(type).update(index).digest('hex');
    return `APKINDEX.${hash.slice(0, 8)}.tar.gz`;
  });
}
