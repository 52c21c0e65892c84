import type { Image } from '../domain/fleet/model.ts';
import { exec } from '../lib/exec.ts';

/**
 * The last commit that touched an image's definition or the shared package sets; `undefined` when the fleet is in
 * no git repository, or has never been committed.
 */
export async function gitRevision(image: Image, root: string): Promise<string | undefined> {
  const args = ['log', '-1', '--format=%H', '--', image.folder, 'images/packages.yaml'];
  const result = await exec('git', args, { cwd: root, timeout: 10_000 }).catch(() => undefined);
  const commit = result?.stdout.toString('utf8').trim();
  return result?.exitCode === 0 && commit ? commit : undefined;
}
