import { join } from 'node:path';

/** Where a data directory keeps what concerns access. */
export function accessPaths(dataDirectory: string) {
  const directory = join(dataDirectory, 'access');
  return { directory, tokens: join(directory, 'tokens'), audit: join(dataDirectory, 'audit.jsonl') };
}
