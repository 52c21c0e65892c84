import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** Twelve days, in seconds. */
const RANGE = 2 ** 20;

/**
 * Gives a file a time that its content decides: files that differ differ in time as well, so that BuildKit, which
 * compares size and time alone, never takes one for the other. It is later than the epoch, to which BuildKit sets back
 * all later times in the image (exporter option rewrite-timestamp).
 * @param epoch seconds
 */
export async function stampByContent(path: string, epoch: number): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const digest = hash.digest();
  const seconds = digest.readUInt32BE(0) % RANGE;
  const microseconds = digest.readUInt32BE(4) % 1_000_000;
  const time = epoch + 1 + seconds + microseconds / 1_000_000;
  await utimes(path, time, time);
}
