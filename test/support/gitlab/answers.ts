import type {
  CommitSchema,
  CommitStatusSchema,
  MergeRequestNoteSchema,
  MergeRequestSchemaWithBasicLabels,
  PipelineSchema,
  ProjectSchema,
  RepositoryBlobSchema,
  RepositoryCompareSchema,
  RepositoryTreeSchema,
  SimpleUserSchema,
} from '@gitbeaker/rest';
import { text } from '../fake-git.ts';
import { type FakeMerge, type FakeProject, isDraft, mergeStatusOf, pipelineOf } from './project.ts';

const HOST = 'https://gitlab.example';

/** Accounts by id. `eve` is no member of any project. */
export const USERS = [
  { id: 1, username: 'ingot-bot' },
  { id: 2, username: 'ana' },
  { id: 3, username: 'ben' },
  { id: 4, username: 'eve' },
];

export function userAnswer(id: number) {
  const { username } = USERS.find((user) => user.id === id)!;
  const [name, state] = [username, 'active'];
  return {
    id,
    username,
    name,
    state,
    avatar_url: `${HOST}/${username}.png`,
    web_url: `${HOST}/${username}`,
  } satisfies Partial<SimpleUserSchema>;
}

export async function mergeAnswer(project: FakeProject, merge: FakeMerge): Promise<MergeRequestSchemaWithBasicLabels> {
  const status = await mergeStatusOf(project, merge);
  const [reviewers, assignees] = [merge.reviewers.map(userAnswer), merge.assignees.map(userAnswer)];
  const reference = `!${merge.iid}`;
  return {
    ...{ id: project.id * 1000 + merge.iid, iid: merge.iid, project_id: project.id },
    ...{ title: merge.title, description: merge.description, state: merge.state, sha: merge.sha },
    ...{ created_at: merge.createdAt, updated_at: merge.updatedAt, prepared_at: merge.createdAt },
    web_url: `${HOST}/${project.name}/-/merge_requests/${merge.iid}`,
    ...{ merged_by: null, merged_at: merge.state === 'merged' ? merge.updatedAt : null },
    ...{ closed_by: null, closed_at: merge.state === 'closed' ? merge.updatedAt : null },
    ...{ source_branch: merge.source, target_branch: merge.target },
    ...{ source_project_id: project.id, target_project_id: project.id },
    ...{ author: userAnswer(1), reviewers, assignees, assignee: assignees[0] ?? null, labels: merge.labels },
    ...{ draft: isDraft(merge), work_in_progress: isDraft(merge), milestone: null, squash: false },
    merge_when_pipeline_succeeds: merge.autoMerge,
    merge_status: status === 'checking' ? 'checking' : 'can_be_merged',
    detailed_merge_status: status,
    ...{ merge_commit_sha: null, squash_commit_sha: null, discussion_locked: null },
    ...{ should_remove_source_branch: null, force_remove_source_branch: merge.removesBranch },
    ...{ user_notes_count: merge.notes.length, upvotes: 0, downvotes: 0 },
    ...{ reference, references: { short: reference, relative: reference, full: `${project.name}${reference}` } },
    time_stats: { time_estimate: 0, total_time_spent: 0, human_time_estimate: null, human_total_time_spent: null },
    task_completion_status: { count: 0, completed_count: 0 },
    ...{ has_conflicts: status === 'broken_status', blocking_discussions_resolved: true, approvals_before_merge: null },
  };
}

export function projectAnswer({ id, name, settings }: FakeProject) {
  const path = name.split('/').at(-1)!;
  return {
    ...{ id, path, name: path, path_with_namespace: name, web_url: `${HOST}/${name}` },
    ...{ archived: settings.archived, topics: settings.topics, empty_repo: false, default_branch: 'main' },
    only_allow_merge_if_pipeline_succeeds: settings.requiresPipeline,
    mirror: false,
  } satisfies Partial<ProjectSchema>;
}

export async function treeAnswer(project: FakeProject, ref: string): Promise<RepositoryTreeSchema[]> {
  const lines = (await project.git(['ls-tree', '-z', '-r', '-t', ref])).toString('utf8').split('\0').filter(Boolean);
  return lines.map((line) => {
    const [, mode = '', type = '', id = '', path = ''] = /^(\d+) (\w+) (\w+)\t(.*)$/s.exec(line) ?? [];
    return { id, name: path.split('/').at(-1)!, type, path, mode };
  });
}

export async function blobAnswer(project: FakeProject, sha: string): Promise<RepositoryBlobSchema> {
  const content = await project.git(['cat-file', 'blob', sha]);
  return { sha, size: content.length, encoding: 'base64', content: content.toString('base64') };
}

export async function compareAnswer(project: FakeProject, from: string, to: string): Promise<RepositoryCompareSchema> {
  const format = '--format=%H%x09%an%x09%ae%x09%cn%x09%ce%x09%cI%x09%s';
  const log = await text(project, 'log', '--reverse', format, `refs/heads/${from}..refs/heads/${to}`);
  const commits = log
    .split('\n')
    .filter(Boolean)
    .map((line): CommitSchema => {
      const [id, author_name, author_email, committer_name, committer_email, at, title] = line.split('\t') as string[];
      return {
        ...{ id: id!, short_id: id!.slice(0, 8), title: title!, message: title!, created_at: at!, web_url: HOST },
        ...{ author_name: author_name!, author_email: author_email! },
        ...{ committer_name: committer_name!, committer_email: committer_email! },
      };
    });
  return { commit: commits.at(-1)!, commits, diffs: [], compare_timeout: false, compare_same_ref: false };
}

export function notesAnswer(project: FakeProject, { iid, notes }: FakeMerge): MergeRequestNoteSchema[] {
  return notes.map(({ author, body, at, system }, index) => ({
    ...{ id: index + 1, body, system, attachment: null, author: userAnswer(author) },
    ...{ created_at: at, updated_at: at, noteable_id: iid, noteable_iid: iid, noteable_type: 'MergeRequest' },
    ...{ project_id: project.id, resolvable: false },
  }));
}

export function statusesAnswer({ statuses }: FakeProject, sha: string): CommitStatusSchema[] {
  const at = new Date().toISOString();
  return (statuses.get(sha) ?? []).map(({ name, status, mayFail = false }, index) => ({
    ...{ id: index + 1, sha, ref: 'x', name, status, allow_failure: mayFail, created_at: at, target_url: HOST },
    author: userAnswer(1),
  }));
}

export function pipelinesAnswer(project: FakeProject, sha: string): PipelineSchema[] {
  const [status, at] = [pipelineOf(project, sha), new Date().toISOString()];
  if (status === undefined) return [];
  const facts = { id: 77, iid: 1, project_id: project.id, sha, ref: 'x', status, source: 'push', web_url: HOST };
  return [{ ...facts, created_at: at, updated_at: at }];
}
