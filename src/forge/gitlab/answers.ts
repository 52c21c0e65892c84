import { z } from 'zod';
import type { Checks, Comment, PullRequest, RepositoryFile } from '../forge.ts';

/** What GitLab's API v4 says; what we do not need is left out. */
const User = z.object({ id: z.int(), username: z.string() });
export const Users = z.array(User);

export const Merge = z.object({
  iid: z.int(),
  title: z.string(),
  description: z.string().nullish(),
  state: z.enum(['opened', 'closed', 'locked', 'merged']),
  draft: z.boolean().nullish(),
  web_url: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  merged_at: z.string().nullish(),
  labels: z.array(z.string()).nullish(),
  sha: z.string().nullish(),
  source_branch: z.string(),
  target_branch: z.string(),
  source_project_id: z.int().nullish(),
  target_project_id: z.int(),
  /** Since 15.6. */
  detailed_merge_status: z.string().nullish(),
  reviewers: Users.nullish(),
  assignees: Users.nullish(),
});
export type Merge = z.infer<typeof Merge>;

/** Of somebody's fork, also of one that is gone: not ours, whatever its branch is called. */
export function isFromFork({ source_project_id, target_project_id }: Merge): boolean {
  return source_project_id !== target_project_id;
}

/** A draft is a matter of the title alone. */
export const DRAFT_PREFIX = 'Draft: ';
const DRAFT_PREFIXES = /^((\[draft\]|\(draft\)|draft:)\s*)+/i;

export function toPullRequest(merge: Merge, repository: string): PullRequest {
  const { labels } = merge;
  return {
    number: merge.iid,
    repository,
    branch: merge.source_branch,
    base: merge.target_branch,
    title: merge.draft ? merge.title.replace(DRAFT_PREFIXES, '') : merge.title,
    body: fromMarkdown(merge.description ?? ''),
    // `locked`: it is being merged
    state: merge.state === 'merged' || merge.state === 'closed' ? merge.state : 'open',
    createdAt: merge.created_at,
    updatedAt: merge.updated_at,
    url: merge.web_url,
    ...(merge.merged_at && { mergedAt: merge.merged_at }),
    ...(merge.draft && { draft: true }),
    ...(labels && labels.length > 0 && { labels }),
  };
}

/** Lines that start with `/` are orders to GitLab (quick actions): what others wrote into a body must give none. */
export function toMarkdown(text: string): string {
  return text.replaceAll(/^([ \t]*)\//gm, '$1\\/');
}

function fromMarkdown(text: string): string {
  return text.replaceAll(/^([ \t]*)\\\//gm, '$1/');
}

export const Tree = z.array(z.object({ id: z.string(), path: z.string(), mode: z.string(), type: z.string() }));

/** Links too, submodules and folders not. A path that is not UTF-8 cannot be named, and is left out. */
export function toFiles(tree: z.infer<typeof Tree>): RepositoryFile[] {
  return tree
    .filter(({ type, path }) => type === 'blob' && !path.includes('\uFFFD'))
    .map(({ id, path, mode }) => ({ path, mode, blob: id }));
}

export const Blob = z.object({ content: z.string(), encoding: z.string() });

/** Author and committer are both there, though its documentation shows the author alone (lib/api/entities/commit.rb). */
export const Compared = z.object({
  commits: z.array(
    z.object({
      author_name: z.string(),
      author_email: z.string(),
      committer_name: z.string(),
      committer_email: z.string(),
    }),
  ),
});

export const Note = z.object({
  body: z.string(),
  created_at: z.string(),
  system: z.boolean(),
  author: z.object({ username: z.string() }).nullish(),
});

/** What GitLab itself notes of a change is no comment. */
export function toComments(notes: readonly z.infer<typeof Note>[]): Comment[] {
  return notes
    .filter(({ system }) => !system)
    .map(({ body, created_at, author }) => ({
      author: author?.username ?? 'ghost',
      body: fromMarkdown(body),
      createdAt: created_at,
    }));
}

export const Status = z.object({ name: z.string(), status: z.string(), allow_failure: z.boolean().nullish() });
export const Pipelines = z.array(z.object({ id: z.int(), status: z.string() }));

const FAILED = ['failed', 'canceled'];
const FINE = ['success', 'skipped'];

/** Jobs of the newest pipelines and what others said of the commit. One that may fail keeps nothing from being merged. */
export function toChecks(statuses: readonly z.infer<typeof Status>[]): Checks {
  const counting = statuses.filter(({ allow_failure }) => !allow_failure);
  const failing = counting.filter(({ status }) => FAILED.includes(status)).map(({ name }) => name);
  if (failing.length > 0) return { state: 'failing', failing };
  if (statuses.length === 0) return { state: 'none', failing };
  return { state: counting.every(({ status }) => FINE.includes(status)) ? 'passing' : 'pending', failing };
}

export const Project = z.object({
  path: z.string(),
  path_with_namespace: z.string(),
  topics: z.array(z.string()).nullish(),
  archived: z.boolean().nullish(),
  forked_from_project: z.object({ id: z.int() }).nullish(),
  mirror: z.boolean().nullish(),
  empty_repo: z.boolean().nullish(),
  default_branch: z.string().nullish(),
  marked_for_deletion_on: z.string().nullish(),
  only_allow_merge_if_pipeline_succeeds: z.boolean().nullish(),
});

/** Of a merge request; more than nought in paid editions alone. */
export const Approvals = z.object({ approvals_required: z.int().nullish() });
