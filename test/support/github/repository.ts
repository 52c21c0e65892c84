import { type FakeGit, gitIn, headOf, text } from '../fake-git.ts';
import { createTestRepository, type TestRepository } from '../git-repository.ts';

export interface FakePull {
  readonly number: number;
  readonly head: string;
  readonly base: string;
  title: string;
  body: string;
  state: 'open' | 'closed';
  draft: boolean;
  /** The last commit that its branch had. */
  sha: string;
  mergedAt?: string;
  autoMerge?: boolean;
  readonly createdAt: string;
  updatedAt: string;
  readonly labels: string[];
  readonly reviewers: string[];
  readonly assignees: string[];
  readonly comments: { readonly login: string; readonly body: string; readonly at: string }[];
}

/** A repository with what GitHub knows beside git. */
export interface FakeRepository extends FakeGit {
  readonly id: number;
  readonly name: string;
  readonly person: TestRepository;
  readonly pulls: FakePull[];
  readonly statuses: Map<string, { readonly context: string; readonly state: string }[]>;
  readonly settings: { topics: string[]; archived: boolean; allowAutoMerge: boolean; requiresChecks: boolean };
}

export async function createFakeRepository(
  id: number,
  name: string,
  files?: Readonly<Record<string, string | Uint8Array>>,
): Promise<FakeRepository> {
  const person = await createTestRepository(files);
  return {
    ...{ id, name, person, pulls: [], statuses: new Map() },
    settings: { topics: [], archived: false, allowAutoMerge: false, requiresChecks: false },
    git: gitIn(person.path),
  };
}

/** What pushes did to pull requests meanwhile: a branch that went closes its own. */
export async function settle(repository: FakeRepository): Promise<void> {
  for (const pull of repository.pulls.filter(({ state }) => state === 'open')) {
    const sha = await headOf(repository, pull.head);
    if (sha === undefined) pull.state = 'closed';
    else pull.sha = sha;
  }
}

const BOT = { name: 'ingot-bot', email: '41+ingot-bot@users.noreply.github.com' };
const GITHUB = { name: 'GitHub', email: 'noreply@github.com' };

export function loginOf(email: string): string {
  if (email === BOT.email) return 'ingot-bot';
  return email === GITHUB.email ? 'web-flow' : 'ana';
}

/** As GitHub does it for whoever asks by the API: the author is the account, the committer GitHub. */
export async function writeCommit(
  repository: FakeRepository,
  { tree, parents, message }: { tree: string; parents: readonly string[]; message: string },
): Promise<string> {
  const env = {
    GIT_AUTHOR_NAME: BOT.name,
    GIT_AUTHOR_EMAIL: BOT.email,
    GIT_COMMITTER_NAME: GITHUB.name,
    GIT_COMMITTER_EMAIL: GITHUB.email,
  };
  const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent])];
  return (await repository.git(args, { input: message, env })).toString('utf8').trim();
}

export interface TreeItem {
  readonly path: string;
  readonly mode: string;
  readonly sha?: string;
  readonly content?: string;
}

/** Entries on top of a tree, by an index of its own. */
export async function writeTree(repository: FakeRepository, base: string, items: readonly TreeItem[]): Promise<string> {
  const env = { GIT_INDEX_FILE: `${repository.person.path}/index-${items.length}-${Math.random()}` };
  await repository.git(['read-tree', base], { env });
  for (const { path, mode, sha, content } of items) {
    const blob = sha ?? (await writeBlob(repository, content!));
    await repository.git(['update-index', '--add', '--cacheinfo', `${mode},${blob},${path}`], { env });
  }
  return (await repository.git(['write-tree'], { env })).toString('utf8').trim();
}

export async function writeBlob(repository: FakeRepository, content: string | Uint8Array): Promise<string> {
  return (await repository.git(['hash-object', '-w', '--stdin'], { input: content })).toString('utf8').trim();
}

/** Merges as GitHub does. @returns undefined when it is in conflict */
export async function mergePull(repository: FakeRepository, pull: FakePull): Promise<string | undefined> {
  const base = (await headOf(repository, pull.base))!;
  const tree = await text(repository, 'merge-tree', '--write-tree', base, pull.sha).catch(() => undefined);
  if (tree === undefined) return undefined;
  const message = `Merge pull request #${pull.number}`;
  const commit = await writeCommit(repository, { tree, parents: [base, pull.sha], message });
  await repository.git(['update-ref', `refs/heads/${pull.base}`, commit, base]);
  Object.assign(pull, { state: 'closed', mergedAt: new Date().toISOString(), updatedAt: new Date().toISOString() });
  return commit;
}
