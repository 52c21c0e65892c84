import { createHash } from 'node:crypto';

/** The id that git gives a file's content; `like` is any id of the repository, whose length tells SHA-1 from SHA-256. */
export function gitBlobId(content: Uint8Array, like: string): string {
  const hash = createHash(like.length === 64 ? 'sha256' : 'sha1');
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex');
}
