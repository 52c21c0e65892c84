import type { Image } from '../domain/fleet/model.ts';
import { exec } from '../lib/exec.ts';

/**
 * The last commit that touched an image's definition or the shared package sets; `undefined` when the fleet is in
 * no git repository, or has never been committed.
 */
export function gitRevision(image: Image, root: string): Promise<string | undefined> {
  return lastCommit('%H', image, root);
}

/** When that was, RFC 3339. */
export async function gitTime(image: Image, root: string): Promise<string | undefined> {
  const seconds = await lastCommit('%ct', image, root);
  return seconds === undefined ? undefined : new Date(Number(seconds) * 1000).toISOString();
}

async function lastCommit(format: string, image: Image, root: string): Promise<string | undefined> {
  const args = ['log', '-1', `--format=${format}`, '--', image.folder, 'images/packages.yaml'];
  const result = await exec('git', args, { cwd: root, timeout: 10_000 }).catch(() => undefined);
  const found = result?.stdout.toString('utf8').trim();
  return result?.exitCode === 0 && found ? found : undefined;
}
