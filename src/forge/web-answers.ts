import type { Checks, RepositoryFile } from './forge.ts';

/** One entry of a git tree, as Gitea and GitHub tell it alike. */
export interface TreeEntry {
  readonly path: string;
  readonly mode: string;
  readonly type: string;
  readonly size?: number | null | undefined;
  readonly sha: string;
}

/**
 * Links too, submodules and folders not. A path that is not UTF-8 cannot be named, and is left out.
 * @param folder where the tree is: empty, or with a slash at its end
 */
export function toFiles(entries: readonly TreeEntry[], folder = ''): RepositoryFile[] {
  return entries
    .filter(({ type, path }) => type === 'blob' && !path.includes('\uFFFD'))
    .map(({ path, mode, size, sha }) => ({ path: `${folder}${path}`, mode, size: size ?? 0, blob: sha }));
}

export interface SingleCheck {
  readonly name: string;
  readonly state: 'pending' | 'passing' | 'failing';
}

/** What single checks come to. */
export function summarise(checks: readonly SingleCheck[]): Checks {
  const failing = checks.filter(({ state }) => state === 'failing').map(({ name }) => name);
  if (failing.length > 0) return { state: 'failing', failing };
  if (checks.length === 0) return { state: 'none', failing };
  return { state: checks.some(({ state }) => state === 'pending') ? 'pending' : 'passing', failing };
}
