import { type CommitRequest, ForgeError, type ForgeRepository, type Head, OUR_BRANCHES } from './forge.ts';
import { createGit, type Git, type GitDeps, type Identity } from './git/git.ts';
import { listFiles, readCommit, writeCommit, writeTree } from './git/objects.ts';
import { moveRef, readRef, untilMoved } from './git/refs.ts';
import { pullMethods } from './local/pull-methods.ts';
import { createPullStore } from './local/pulls.ts';

export const LOCAL_IDENTITY: Identity = { name: 'ingot', email: 'ingot@localhost' };

export interface LocalForgeDeps {
  /** The git program, 2.38 or later; default `git` on PATH. */
  readonly git?: string;
  readonly now: () => Date;
  readonly identity?: Identity;
}

export interface LocalForge {
  /** A git repository by its path, bare or plain; `branch` in place of its HEAD. Nothing is read before it is needed. */
  repository(path: string, options?: { readonly branch?: string | undefined }): ForgeRepository;
}

/** Pull requests for plain git repositories, without any server. Repeating any call does no harm. */
export function createLocalForge({ git: program, now, identity = LOCAL_IDENTITY }: LocalForgeDeps): LocalForge {
  const deps: GitDeps = { now, identity, ...(program === undefined ? {} : { program }) };
  return { repository: (path, { branch } = {}) => createRepository(path, branch, deps) };
}

function createRepository(path: string, branch: string | undefined, deps: GitDeps): ForgeRepository {
  const git = createGit(path, deps);
  const store = createPullStore(git, path);
  return {
    name: path,
    closesWithBranch: false,
    head: ({ signal } = {}) => readHead(git, branch, signal),
    look: async ({ signal } = {}) => ({
      head: await readHead(git, branch, signal),
      defaultBranch: await defaultBranch(git, signal).catch((error) => {
        if (signal?.aborted || branch === undefined) throw error;
        return undefined; // HEAD is no branch, which is no matter when one is configured
      }),
      ours: await ourBranches(git, signal),
    }),
    files: (commit, { signal } = {}) => listFiles(git, commit, signal),
    async read({ blob }, { signal } = {}) {
      return (await git.run(['cat-file', 'blob', blob], { signal })).stdout;
    },
    async branch(name, { signal } = {}) {
      const commit = await readRef(git, refOf(name), signal);
      return commit === undefined ? undefined : { branch: name, commit };
    },
    isOurs: (name, base, { signal } = {}) => isOurs(git, name, base, deps.identity, signal),
    commit: (request, { signal } = {}) => commit(git, request, signal),
    async removeBranch(name, { signal } = {}) {
      await untilMoved(git, async () => {
        const from = await readRef(git, refOf(name), signal);
        return (await moveRef(git, refOf(name), { from, to: undefined }, signal)) || undefined;
      });
    },
    ...pullMethods(git, store, deps),
  };
}

async function readHead(git: Git, configured: string | undefined, signal: AbortSignal | undefined): Promise<Head> {
  const branch = configured ?? (await defaultBranch(git, signal));
  const commit = await readRef(git, refOf(branch), signal);
  if (commit !== undefined) return { branch, commit };
  throw new ForgeError(`${git.path} has no branch ${branch}; name the right one as "branch" of the downstream`, {
    code: 'not-found',
  });
}

async function defaultBranch(git: Git, signal: AbortSignal | undefined): Promise<string> {
  const { exitCode, stdout } = await git.run(['symbolic-ref', '--quiet', 'HEAD'], { allow: [0, 1], signal });
  if (exitCode === 0)
    return stdout
      .toString('utf8')
      .trim()
      .replace(/^refs\/heads\//, '');
  throw new ForgeError(`HEAD of ${git.path} is no branch; name one as "branch" of the downstream`, {
    code: 'not-found',
  });
}

async function ourBranches(git: Git, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Head>> {
  const args = ['for-each-ref', '--format=%(objectname) %(refname:lstrip=2)', `refs/heads/${OUR_BRANCHES}`];
  const lines = (await git.text(args, { signal })).split('\n').filter((line) => line !== '');
  const heads = lines.map((line) => ({ commit: line.split(' ', 1)[0]!, branch: line.slice(line.indexOf(' ') + 1) }));
  return new Map(heads.map((head) => [head.branch, head]));
}

/** By author and committer: a person who amends our commit becomes its committer. */
async function isOurs(git: Git, branch: string, base: string, identity: Identity, signal: AbortSignal | undefined) {
  const head = await readRef(git, refOf(branch), signal);
  if (head === undefined) return true;
  const range = ['rev-list', '--no-commit-header', '--format=%an <%ae>%n%cn <%ce>', head, '--not', refOf(base), '--'];
  const names = (await git.text(range, { signal })).split('\n').filter((line) => line !== '');
  return names.every((name) => name === `${identity.name} <${identity.email}>`);
}

async function commit(git: Git, request: CommitRequest, signal: AbortSignal | undefined): Promise<Head> {
  const { branch, onto, message, files, expected } = request;
  const from = await readRef(git, refOf(branch), signal);
  if (expected !== undefined && from !== (expected.commit ?? undefined)) throw movedError(git, branch);
  const tree = await writeTree(git, onto, files, signal);
  if (from !== undefined) {
    const existing = await readCommit(git, from, signal);
    const sameParent = existing.parents.length === 1 && existing.parents[0] === onto;
    if (sameParent && existing.tree === tree) return { branch, commit: from };
  }
  const to = await writeCommit(git, { tree, parents: [onto], message: `${message.trimEnd()}\n` }, signal);
  if (await moveRef(git, refOf(branch), { from, to }, signal)) return { branch, commit: to };
  throw movedError(git, branch);
}

function movedError(git: Git, branch: string): ForgeError {
  return new ForgeError(`${branch} in ${git.path} was moved by somebody else`, { code: 'conflict', retryable: true });
}

function refOf(branch: string): string {
  return `refs/heads/${branch}`;
}
