import { z } from 'zod';
import type { Comment, PullRequest } from '../forge.ts';

/** What Gitea's and Forgejo's API says (swagger of Gitea 1.26); what we do not need is left out. */
const Label = z.object({ id: z.int(), name: z.string() });
export const Labels = z.array(Label);

export const Pull = z.object({
  number: z.int(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().nullish(),
  merged: z.boolean(),
  merged_at: z.string().nullish(),
  html_url: z.string().nullish(),
  created_at: z.string(),
  updated_at: z.string(),
  labels: z.array(z.object({ name: z.string() })).nullish(),
  // `label` stays the name of the branch when that is gone; `ref` does not
  head: z.object({ label: z.string(), sha: z.string().nullish(), repo_id: z.int() }),
  base: z.object({ ref: z.string(), repo_id: z.int() }),
});
export type Pull = z.infer<typeof Pull>;

/** Of somebody's fork: not ours, whatever its branch is called. */
export function isFromFork({ head, base }: Pull): boolean {
  return head.repo_id !== base.repo_id;
}

/** A draft is a matter of the title alone (`[repository.pull-request] WORK_IN_PROGRESS_PREFIXES`). */
export const DRAFT_PREFIX = 'WIP: ';
const DRAFT_PREFIXES = /^(WIP:|\[WIP\])\s*/i;

export function toPullRequest(pull: Pull, repository: string): PullRequest {
  const labels = pull.labels?.map(({ name }) => name) ?? [];
  return {
    number: pull.number,
    repository,
    branch: pull.head.label,
    base: pull.base.ref,
    title: pull.draft ? pull.title.replace(DRAFT_PREFIXES, '') : pull.title,
    body: pull.body ?? '',
    state: pull.merged ? 'merged' : pull.state,
    createdAt: pull.created_at,
    updatedAt: pull.updated_at,
    ...(pull.merged_at && { mergedAt: pull.merged_at }),
    ...(pull.html_url && { url: pull.html_url }),
    ...(pull.draft && { draft: true }),
    ...(labels.length > 0 && { labels }),
  };
}

export const Tree = z.object({
  truncated: z.boolean(),
  tree: z
    .array(z.object({ path: z.string(), mode: z.string(), type: z.string(), size: z.int().nullish(), sha: z.string() }))
    .nullable(),
});

export const Blob = z.object({ content: z.base64().nullish(), encoding: z.string().nullish() });

const Person = z.object({ name: z.string(), email: z.string() });
export const Compared = z.object({
  commits: z.array(z.object({ commit: z.object({ author: Person, committer: Person }) })).nullable(),
});

export const CommentAnswer = z.object({
  body: z.string(),
  created_at: z.string(),
  user: z.object({ login: z.string() }).nullish(),
});

export function toComment({ body, created_at, user }: z.infer<typeof CommentAnswer>): Comment {
  return { author: user?.login ?? 'ghost', body, createdAt: created_at };
}

export const Statuses = z.object({
  statuses: z.array(z.object({ context: z.string(), status: z.string() })).nullish(),
});

export const Protection = z.object({
  enable_status_check: z.boolean().nullish(),
  status_check_contexts: z.array(z.string()).nullish(),
  required_approvals: z.int().nullish(),
});

export const Styles = z.object({
  allow_merge_commits: z.boolean().nullish(),
  default_merge_style: z.string().nullish(),
});

export const Repository = z.object({
  full_name: z.string(),
  name: z.string(),
  archived: z.boolean().nullish(),
  fork: z.boolean().nullish(),
  mirror: z.boolean().nullish(),
  empty: z.boolean().nullish(),
  topics: z.array(z.string()).nullish(),
});
