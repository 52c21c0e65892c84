import { type FakeGit, gitIn, headOf, text } from '../fake-git.ts';
import { createTestRepository, type TestRepository } from '../git-repository.ts';

export interface FakeMerge {
  readonly iid: number;
  readonly source: string;
  readonly target: string;
  title: string;
  description: string;
  state: 'opened' | 'closed' | 'merged';
  /** The last commit that its branch had. */
  sha: string;
  /** Answers until GitLab knows whether it merges. */
  undecided: number;
  autoMerge: boolean;
  readonly removesBranch: boolean;
  readonly createdAt: string;
  updatedAt: string;
  readonly labels: string[];
  readonly reviewers: readonly number[];
  readonly assignees: readonly number[];
  readonly notes: { readonly author: number; readonly body: string; readonly at: string; readonly system: boolean }[];
}

export type Status = 'pending' | 'running' | 'success' | 'failed' | 'canceled';

/** A project with what GitLab knows beside git. */
export interface FakeProject extends FakeGit {
  readonly id: number;
  /** With all its groups. */
  readonly name: string;
  readonly person: TestRepository;
  readonly merges: FakeMerge[];
  readonly statuses: Map<string, { readonly name: string; readonly status: Status; readonly mayFail?: boolean }[]>;
  /** Of pipelines that have no jobs: those that could not begin. */
  readonly pipelines: Map<string, Status>;
  /** `free`: the edition that takes one reviewer; `racy`: it does not see that another one is open. */
  readonly settings: {
    topics: string[];
    archived: boolean;
    requiresPipeline: boolean;
    approvals: number;
    free: boolean;
    racy: boolean;
  };
}

export async function createFakeProject(
  id: number,
  name: string,
  files?: Readonly<Record<string, string | Uint8Array>>,
): Promise<FakeProject> {
  const person = await createTestRepository(files);
  for (const setting of ['http.receivepack', 'uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant'])
    await person.git('config', setting, 'true');
  return {
    ...{ id, name, person, merges: [], statuses: new Map(), pipelines: new Map() },
    settings: { topics: [], archived: false, requiresPipeline: false, approvals: 0, free: false, racy: false },
    git: gitIn(person.path, MERGER),
  };
}

const MERGER = {
  GIT_AUTHOR_NAME: 'bot',
  GIT_AUTHOR_EMAIL: 'bot@example.org',
  GIT_COMMITTER_NAME: 'bot',
  GIT_COMMITTER_EMAIL: 'bot@example.org',
};

/** What pushes did to merge requests meanwhile. One whose branch went stays open: GitLab closes it some time later. */
export async function settle(project: FakeProject): Promise<void> {
  for (const merge of project.merges.filter(({ state }) => state === 'opened')) {
    const sha = await headOf(project, merge.source);
    if (sha === undefined || sha === merge.sha) continue;
    Object.assign(merge, { sha, undecided: 1, autoMerge: false });
  }
}

export function isDraft({ title }: FakeMerge): boolean {
  return /^(\[draft\]|\(draft\)|draft:)/i.test(title);
}

export type MergeStatus =
  | 'checking'
  | 'draft_status'
  | 'not_open'
  | 'broken_status'
  | 'ci_must_pass'
  | 'ci_still_running'
  | 'not_approved'
  | 'mergeable';

export async function mergeStatusOf(project: FakeProject, merge: FakeMerge): Promise<MergeStatus> {
  if (merge.state !== 'opened') return 'not_open';
  if (merge.undecided > 0) return 'checking';
  if (isDraft(merge)) return 'draft_status';
  if ((await mergedTree(project, merge)) === undefined) return 'broken_status';
  if (project.settings.approvals > 0) return 'not_approved';
  const pipeline = pipelineOf(project, merge.sha);
  if (!project.settings.requiresPipeline || pipeline === 'success') return 'mergeable';
  return isActive(pipeline) ? 'ci_still_running' : 'ci_must_pass';
}

/** Of a commit: what its jobs and others together say. */
export function pipelineOf({ statuses, pipelines }: FakeProject, sha: string): Status | undefined {
  const counting = (statuses.get(sha) ?? []).filter(({ mayFail }) => !mayFail).map(({ status }) => status);
  if (counting.length === 0) return pipelines.get(sha);
  return counting.find((each) => each === 'failed') ?? counting.find(isActive) ?? 'success';
}

export function isActive(status: Status | undefined): boolean {
  return status === 'pending' || status === 'running';
}

async function mergedTree(project: FakeProject, merge: FakeMerge): Promise<string | undefined> {
  const args = ['merge-tree', '--write-tree', `refs/heads/${merge.target}`, merge.sha];
  return text(project, ...args).catch(() => undefined);
}

/** Merges as GitLab does, by a merge commit; the branch goes when that was asked for. */
export async function accept(project: FakeProject, merge: FakeMerge): Promise<void> {
  const base = (await headOf(project, merge.target))!;
  const tree = (await mergedTree(project, merge))!;
  const commit = await text(project, 'commit-tree', tree, '-p', base, '-p', merge.sha, '-m', `Merge !${merge.iid}`);
  await project.git(['update-ref', `refs/heads/${merge.target}`, commit, base]);
  if (merge.removesBranch) await project.git(['update-ref', '-d', `refs/heads/${merge.source}`]);
  Object.assign(merge, { state: 'merged', updatedAt: new Date().toISOString() });
}

/** Says of a commit how a job ended; what waited for that is merged. */
export async function setStatus(project: FakeProject, sha: string, name: string, status: Status): Promise<void> {
  const others = (project.statuses.get(sha) ?? []).filter((each) => each.name !== name);
  project.statuses.set(sha, [...others, { name, status }]);
  await settle(project);
  const waiting = project.merges.filter((each) => each.autoMerge && each.state === 'opened' && each.sha === sha);
  for (const merge of waiting) if (pipelineOf(project, sha) === 'success') await accept(project, merge);
}
