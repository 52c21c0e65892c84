import { ForgeError, type ForgeRepository, type PullRequest } from '../forge.ts';
import type { Git, GitDeps } from '../git/git.ts';
import { readRef, untilMoved } from '../git/refs.ts';
import { mergeBranch } from './merge.ts';
import type { PullStore } from './pulls.ts';

/** What concerns pull requests; they are kept in the repository itself. */
export function pullMethods(git: Git, store: PullStore, { now, identity }: GitDeps) {
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
        if ((await readRef(git, `refs/heads/${name}`, signal)) === undefined)
          throw new ForgeError(`${git.path} has no branch ${name}`, { code: 'not-found' });
      return untilMoved(git, async () => {
        const all = await store.list(signal);
        const open = all.find((pull) => pull.state === 'open' && pull.branch === wanted.branch);
        if (open !== undefined) return open;
        const [number, createdAt] = [(all.at(-1)?.number ?? 0) + 1, time()];
        const { reviewers: _, assignees: __, ...kept } = wanted; // nobody is told anything here
        const fresh = {
          ...kept,
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
      if (pull.state === 'closed') throw refusedError(git, number, 'closed');
      if (pull.draft) throw refusedError(git, number, 'a draft');
      await mergeBranch(git, pull, signal);
      return changePull(git, store, number, (current) => ({ ...current, state: 'merged' }), time(), signal);
    },
    /** There is nobody who would. */
    mergeWhenReady: async () => false,
    async comments(number, { signal } = {}) {
      await requirePull(git, store, number, signal);
      return store.comments(number, signal);
    },
    async comment(number, body, { signal } = {}) {
      const comment = { author: identity.name, body, createdAt: time() };
      await untilMoved(git, async () => {
        const { pull, commit } = await requirePull(git, store, number, signal);
        return (await store.write(pull, commit, 'commented', signal, comment)) || undefined;
      });
    },
    checks: async () => ({ state: 'none', failing: [] }),
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

function refusedError(git: Git, number: number, what: string): ForgeError {
  return new ForgeError(`pull request ${number} of ${git.path} is ${what}`, { code: 'conflict' });
}

function definedOf<T extends object>(change: T): T {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as T;
}
