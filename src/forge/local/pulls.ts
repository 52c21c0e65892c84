import { z } from 'zod';
import { type Comment, ForgeError, type PullRequest } from '../forge.ts';
import type { Git } from '../git/git.ts';
import { writeBlob, writeCommit } from '../git/objects.ts';
import { moveRef, readRef } from '../git/refs.ts';

const PREFIX = 'refs/ingot/pulls/';
const FILE = 'pull.json';
const COMMENTS = 'comments.json';
const StoredComments = z.array(z.object({ author: z.string(), body: z.string(), createdAt: z.string() }));

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
  draft: z.boolean().optional(),
  labels: z.array(z.string()).optional(),
});
type StoredPull = z.infer<typeof StoredPull>;

type Signal = AbortSignal | undefined;

/** Keeps pull requests under refs/ingot/pulls/<n>. */
export interface PullStore {
  /** By number. */
  list(signal: Signal): Promise<readonly PullRequest[]>;
  find(number: number, signal: Signal): Promise<{ pull: PullRequest; commit: string } | undefined>;
  /** @returns false when somebody else wrote under this number meanwhile */
  write(
    pull: PullRequest,
    previous: string | undefined,
    event: string,
    signal: Signal,
    comment?: Comment,
  ): Promise<boolean>;
  comments(number: number, signal: Signal): Promise<readonly Comment[]>;
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
    async write({ repository: _, url: __, ...pull }, previous, event, signal, comment) {
      const earlier = previous === undefined ? [] : await readComments(git, previous, signal);
      const files = { ...commentsFile(comment === undefined ? earlier : [...earlier, comment]), [FILE]: pull };
      const entries = Object.entries(files).map(async ([name, content]) => {
        const blob = await writeBlob(git, `${JSON.stringify(content, null, 2)}\n`, signal);
        return `100644 blob ${blob}\t${name}\n`;
      });
      const tree = await git.text(['mktree'], { input: (await Promise.all(entries)).join(''), signal });
      const parents = previous === undefined ? [] : [previous];
      const to = await writeCommit(git, { tree, parents, message: `Pull request ${pull.number}: ${event}\n` }, signal);
      return moveRef(git, `${PREFIX}${pull.number}`, { from: previous, to }, signal);
    },
    async comments(number, signal) {
      const commit = await readRef(git, `${PREFIX}${number}`, signal);
      return commit === undefined ? [] : readComments(git, commit, signal);
    },
  };
}

function commentsFile(comments: readonly Comment[]) {
  return comments.length === 0 ? {} : { [COMMENTS]: comments };
}

async function readComments(git: Git, commit: string, signal: Signal): Promise<readonly Comment[]> {
  const name = `${commit}:${COMMENTS}`;
  const { exitCode, stdout } = await git.run(['cat-file', 'blob', name], { allow: [0, 128], signal });
  return exitCode === 0 ? StoredComments.parse(JSON.parse(stdout.toString('utf8'))) : [];
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
