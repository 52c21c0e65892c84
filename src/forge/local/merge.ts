import { ForgeError, type PullRequest } from '../forge.ts';
import type { Git } from '../git/git.ts';
import { writeCommit } from '../git/objects.ts';
import { moveRef, readRef, untilMoved } from '../git/refs.ts';

type Signal = AbortSignal | undefined;

/** Puts the branch into the base by a merge commit. Merged already (by a run that was killed, say): nothing to do. */
export async function mergeBranch(git: Git, pull: PullRequest, signal: Signal): Promise<void> {
  await refuseWhenCheckedOut(git, pull, signal);
  const ref = `refs/heads/${pull.base}`;
  await untilMoved(git, async () => {
    const base = await requireBranch(git, pull.base, signal);
    const head = await requireBranch(git, pull.branch, signal);
    if (await isAncestor(git, head, base, signal)) return true;
    const tree = await mergeTrees(git, pull, base, head, signal);
    const message = `Merge pull request #${pull.number} from ${pull.branch}\n\n${pull.title}\n`;
    const to = await writeCommit(git, { tree, parents: [base, head], message }, signal);
    return (await moveRef(git, ref, { from: base, to }, signal)) ? true : undefined;
  });
}

/** Moving a branch under a work tree would make the next commit there take the merge back. */
async function refuseWhenCheckedOut(git: Git, { base, branch }: PullRequest, signal: Signal): Promise<void> {
  if ((await git.text(['rev-parse', '--is-bare-repository'], { signal })) === 'true') return;
  const { stdout } = await git.run(['symbolic-ref', '--quiet', 'HEAD'], { allow: [0, 1], signal });
  if (stdout.toString('utf8').trim() !== `refs/heads/${base}`) return;
  const remedy = `run "git merge ${branch}" there`;
  throw new ForgeError(`${base} is checked out in the work tree of ${git.path}; ${remedy}`, { code: 'conflict' });
}

async function requireBranch(git: Git, name: string, signal: Signal): Promise<string> {
  const commit = await readRef(git, `refs/heads/${name}`, signal);
  if (commit !== undefined) return commit;
  throw new ForgeError(`the branch ${name} is gone from ${git.path}`, { code: 'not-found' });
}

async function isAncestor(git: Git, commit: string, of: string, signal: Signal): Promise<boolean> {
  const { exitCode } = await git.run(['merge-base', '--is-ancestor', commit, of], { allow: [0, 1], signal });
  return exitCode === 0;
}

async function mergeTrees(git: Git, pull: PullRequest, base: string, head: string, signal: Signal): Promise<string> {
  const args = ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', base, head];
  const { exitCode, stdout } = await git.run(args, { allow: [0, 1], signal });
  const [tree = '', ...conflicts] = stdout
    .toString('utf8')
    .split('\0')
    .filter((part) => part !== '');
  if (exitCode === 0) return tree;
  throw new ForgeError(`${pull.branch} is in conflict with ${pull.base}: ${conflicts.join(', ')}`, {
    code: 'conflict',
    details: { files: conflicts },
  });
}
