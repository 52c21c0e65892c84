import { z } from 'zod';
import { ForgeError, type PullRequest } from '../forge.ts';
import type { Git } from './git.ts';
import { writeBlob, writeCommit } from './objects.ts';
import { moveRef, readRef } from './refs.ts';

const PREFIX = 'refs/ingot/pulls/';
const FILE = 'pull.json';

/** A pull request as its commit holds it (decisions 18). The history of the ref is that of the pull request. */
const StoredPull = z.object({
  number: z.int().positive(),
  branch: z.string(),
  base: z.string(),
  title: z.string(),
  body: z.string(),
  state: z.enum(['open', 'merged', 'closed']),
  createdAt: z.string(),
  updatedAt: z.string(),
});
type StoredPull = z.infer<typeof StoredPull>;

type Signal = AbortSignal | undefined;

/** Keeps pull requests under refs/ingot/pulls/<n>. */
export interface PullStore {
  /** By number. */
  list(signal: Signal): Promise<readonly PullRequest[]>;
  find(number: number, signal: Signal): Promise<{ pull: PullRequest; commit: string } | undefined>;
  /** @returns false when somebody else wrote under this number meanwhile */
  write(pull: PullRequest, previous: string | undefined, event: string, signal: Signal): Promise<boolean>;
}

export function createPullStore(git: Git, repository: string): PullStore {
  return {
    async list(signal) {
      const names = await git.text(['for-each-ref', `--format=%(objectname):${FILE}`, PREFIX], { signal });
      if (names === '') return [];
      const { stdout } = await git.run(['cat-file', '--batch'], { input: `${names}\n`, signal });
      const pulls = splitBatch(stdout).map((content) => parsePull(content, repository));
      return pulls.sort((a, b) => a.number - b.number);
    },
    async find(number, signal) {
      const commit = await readRef(git, `${PREFIX}${number}`, signal);
      return commit === undefined ? undefined : { commit, pull: await readPull(git, commit, repository, signal) };
    },
    async write({ repository: _, url: __, ...pull }, previous, event, signal) {
      const blob = await writeBlob(git, `${JSON.stringify(pull, null, 2)}\n`, signal);
      const tree = await git.text(['mktree'], { input: `100644 blob ${blob}\t${FILE}\n`, signal });
      const parents = previous === undefined ? [] : [previous];
      const to = await writeCommit(git, { tree, parents, message: `Pull request ${pull.number}: ${event}\n` }, signal);
      return moveRef(git, `${PREFIX}${pull.number}`, { from: previous, to }, signal);
    },
  };
}

async function readPull(git: Git, commit: string, repository: string, signal: Signal): Promise<PullRequest> {
  const { stdout } = await git.run(['cat-file', 'blob', `${commit}:${FILE}`], { signal });
  return parsePull(stdout, repository);
}

/** `<id> blob <size>`, newline, content, newline; over and over (git-cat-file, BATCH OUTPUT). */
function splitBatch(output: Buffer): Buffer[] {
  const contents: Buffer[] = [];
  for (let start = 0; start < output.length; ) {
    const end = output.indexOf('\n', start);
    const size = /^[0-9a-f]+ blob (\d+)$/.exec(output.toString('utf8', start, end))?.[1];
    if (size === undefined) throw new ForgeError(`a ref under ${PREFIX} is no pull request`, { code: 'protocol' });
    contents.push(output.subarray(end + 1, end + 1 + Number(size)));
    start = end + 2 + Number(size);
  }
  return contents;
}

function parsePull(content: Buffer, repository: string): PullRequest {
  try {
    const stored: StoredPull = StoredPull.parse(JSON.parse(content.toString('utf8')));
    return { ...stored, repository };
  } catch (cause) {
    throw new ForgeError(`a pull request in ${repository} cannot be read`, { code: 'protocol', cause });
  }
}
