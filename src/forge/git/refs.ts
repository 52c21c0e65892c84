import { ForgeError } from '../forge.ts';
import type { Git } from './git.ts';

type Signal = AbortSignal | undefined;

/** The commit behind a full ref name; `undefined` when there is none. */
export async function readRef(git: Git, ref: string, signal: Signal): Promise<string | undefined> {
  const { exitCode, stdout } = await git.run(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], {
    allow: [0, 1],
    signal,
  });
  return exitCode === 0 ? stdout.toString('utf8').trim() : undefined;
}

/**
 * Moves a ref if it still is where it was (`undefined`: absent), compare and swap.
 * @returns false when somebody else moved it meanwhile
 */
export async function moveRef(
  git: Git,
  ref: string,
  move: { readonly from: string | undefined; readonly to: string | undefined },
  signal: Signal,
): Promise<boolean> {
  if (move.to === undefined && move.from === undefined) return true;
  const args = move.to === undefined ? ['-d', ref, move.from!] : [ref, move.to, move.from ?? ''];
  const { exitCode, stderr } = await git.run(['update-ref', '--no-deref', ...args], { allow: [0, 1, 128], signal });
  if (exitCode === 0) return true;
  if ((await readRef(git, ref, signal)) !== move.from) return false;
  throw new ForgeError(`${ref} in ${git.path} could not be moved: ${stderr.trim().slice(0, 500)}`, {
    code: 'unavailable',
    retryable: true,
  });
}

/** Tries until nobody else was faster; each turn looks anew. */
export async function untilMoved<T>(git: Git, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let turn = 0; turn < 20; turn++) {
    const result = await attempt();
    if (result !== undefined) return result;
  }
  throw new ForgeError(`others keep changing ${git.path}; try again`, { code: 'conflict', retryable: true });
}
