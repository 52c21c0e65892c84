import { type CommitRequest, ForgeError, type ForgeRepository, type Head, type PullRequest } from './forge.ts';
import { createGit, type Git, type GitDeps, type Identity } from './local/git.ts';
import { mergeBranch } from './local/merge.ts';
import { listFiles, readCommit, writeCommit, writeTree } from './local/objects.ts';
import { createPullStore, type PullStore } from './local/pulls.ts';
import { moveRef, readRef, untilMoved } from './local/refs.ts';

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
    head: ({ signal } = {}) => readHead(git, branch, signal),
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

function pullMethods(git: Git, store: PullStore, { now }: GitDeps) {
  const time = () => now().toISOString();
  return {
    async pulls(filter = {}, { signal } = {}) {
      const all = await store.list(signal);
      return all
        .filter((pull) => filter.branch === undefined || pull.branch === filter.branch)
        .filter((pull) => filter.state === undefined || pull.state === filter.state);
    },
    async openPull(wanted, { signal } = {}) {
      for (const name of [wanted.branch, wanted.base])
        if ((await readRef(git, refOf(name), signal)) === undefined)
          throw new ForgeError(`${git.path} has no branch ${name}`, { code: 'not-found' });
      return untilMoved(git, async () => {
        const all = await store.list(signal);
        const open = all.find((pull) => pull.state === 'open' && pull.branch === wanted.branch);
        if (open !== undefined) return open;
        const [number, createdAt] = [(all.at(-1)?.number ?? 0) + 1, time()];
        const fresh = {
          ...wanted,
          number,
          repository: git.path,
          state: 'open',
          createdAt,
          updatedAt: createdAt,
        } as const;
        return (await store.write(fresh, undefined, 'opened', signal)) ? fresh : undefined;
      });
    },
    async updatePull(number, change, { signal } = {}) {
      return changePull(git, store, number, (pull) => ({ ...pull, ...definedOf(change) }), time(), signal);
    },
    async merge(number, { signal } = {}) {
      const { pull } = await requirePull(git, store, number, signal);
      if (pull.state === 'merged') return pull;
      if (pull.state === 'closed') throw closedError(git, number);
      await mergeBranch(git, pull, signal);
      return changePull(git, store, number, (current) => ({ ...current, state: 'merged' }), time(), signal);
    },
  } satisfies Partial<ForgeRepository>;
}

/** Applies a change, compare and swap; what changes nothing writes nothing. */
function changePull(
  git: Git,
  store: PullStore,
  number: number,
  change: (pull: PullRequest) => PullRequest,
  updatedAt: string,
  signal: AbortSignal | undefined,
): Promise<PullRequest> {
  return untilMoved(git, async () => {
    const { pull, commit: previous } = await requirePull(git, store, number, signal);
    const wanted = change(pull);
    if (JSON.stringify(wanted) === JSON.stringify(pull)) return pull;
    if (pull.state === 'merged' && wanted.state !== 'merged')
      throw new ForgeError(`pull request ${number} of ${git.path} is merged`, { code: 'conflict' });
    const changed = { ...wanted, updatedAt };
    const event = wanted.state === pull.state ? 'changed' : wanted.state === 'open' ? 'reopened' : wanted.state;
    return (await store.write(changed, previous, event, signal)) ? changed : undefined;
  });
}

async function requirePull(git: Git, store: PullStore, number: number, signal: AbortSignal | undefined) {
  const found = await store.find(number, signal);
  if (found !== undefined) return found;
  throw new ForgeError(`${git.path} has no pull request ${number}`, { code: 'not-found' });
}

function closedError(git: Git, number: number): ForgeError {
  return new ForgeError(`pull request ${number} of ${git.path} is closed`, { code: 'conflict' });
}

function definedOf<T extends object>(change: T): T {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as T;
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
