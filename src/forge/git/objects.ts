import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RepositoryFile } from '../forge.ts';
import type { Git } from './git.ts';

type Signal = AbortSignal | undefined;

export interface Commit {
  readonly tree: string;
  readonly parents: readonly string[];
}

export async function readCommit(git: Git, commit: string, signal: Signal): Promise<Commit> {
  const [tree = '', parents = ''] = (
    await git.text(['rev-list', '--no-walk', '--no-commit-header', '--format=%T%n%P', commit], { signal })
  ).split('\n');
  return { tree, parents: parents.split(' ').filter((parent) => parent !== '') };
}

export async function writeBlob(git: Git, content: string | Uint8Array, signal: Signal): Promise<string> {
  return git.text(['hash-object', '-w', '--stdin', '--no-filters'], { input: content, signal });
}

export async function writeCommit(
  git: Git,
  commit: Commit & { readonly message: string },
  signal: Signal,
): Promise<string> {
  const parents = commit.parents.flatMap((parent) => ['-p', parent]);
  return git.text(['commit-tree', commit.tree, ...parents], { input: commit.message, signal });
}

/** All files of a commit: links too, submodules not. A path that is not UTF-8 cannot be named, and is left out. */
export async function listFiles(git: Git, commit: string, signal: Signal): Promise<readonly RepositoryFile[]> {
  const { stdout } = await git.run(['ls-tree', '-r', '-z', '-l', '--full-tree', commit], { signal });
  return stdout
    .toString('utf8')
    .split('\0')
    .flatMap((line) => {
      const match = /^(\d{6}) blob ([0-9a-f]+) +(\d+)\t(.+)$/s.exec(line);
      if (match === null || match[4]!.includes('\uFFFD')) return [];
      return [{ mode: match[1]!, blob: match[2]!, size: Number(match[3]), path: match[4]! }];
    });
}

/** The tree of a commit with some files replaced or added, modes kept. Uses an index of its own. */
export async function writeTree(
  git: Git,
  onto: string,
  files: readonly { readonly path: string; readonly content: Uint8Array }[],
  signal: Signal,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-index-'));
  try {
    const env = { GIT_INDEX_FILE: join(folder, 'index') };
    await git.run(['read-tree', onto], { env, signal });
    const modes = await modesOf(git, onto, files, signal);
    const entries: string[] = [];
    for (const { path, content } of files)
      entries.push(`${modes.get(path) ?? '100644'} ${await writeBlob(git, content, signal)}\t${path}\0`);
    await git.run(['update-index', '-z', '--index-info'], { env, input: entries.join(''), signal });
    // The rest is in the repository, or on the server that it is for.
    return await git.text(['write-tree', '--missing-ok'], { env, signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function modesOf(
  git: Git,
  onto: string,
  files: readonly { readonly path: string }[],
  signal: Signal,
): Promise<Map<string, string>> {
  const args = ['ls-tree', '-z', '--full-tree', onto, '--', ...files.map(({ path }) => path)];
  const { stdout } = await git.run(args, { env: { GIT_LITERAL_PATHSPECS: '1' }, signal });
  const lines = stdout.toString('utf8').split('\0');
  return new Map(
    lines.filter((line) => line !== '').map((line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, 6)]),
  );
}
