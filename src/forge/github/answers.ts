import { z } from 'zod';
import type { Checks, Comment, PullRequest } from '../forge.ts';
import { type SingleCheck, summarise } from '../web-answers.ts';

/** What GitHub's REST API says (its OpenAPI description, 2022-11-28); what we do not need is left out. */
const Person = z.object({ login: z.string() }).nullish();
const Side = z.object({ ref: z.string(), sha: z.string(), repo: z.object({ id: z.int() }).nullish() });

export const Pull = z.object({
  number: z.int(),
  node_id: z.string(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().nullish(),
  merged_at: z.string().nullish(),
  html_url: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  labels: z.array(z.object({ name: z.string().nullish() })).nullish(),
  head: Side,
  base: Side,
});
export type Pull = z.infer<typeof Pull>;

/** Of somebody's fork, also of one that is gone: not ours, whatever its branch is called. */
export function isFromFork({ head, base }: Pull): boolean {
  return head.repo?.id !== base.repo?.id;
}

export function toPullRequest(pull: Pull, repository: string): PullRequest {
  const labels = pull.labels?.flatMap(({ name }) => name ?? []) ?? [];
  return {
    number: pull.number,
    repository,
    branch: pull.head.ref,
    base: pull.base.ref,
    title: pull.title,
    body: pull.body ?? '',
    state: pull.merged_at ? 'merged' : pull.state,
    createdAt: pull.created_at,
    updatedAt: pull.updated_at,
    url: pull.html_url,
    ...(pull.merged_at && { mergedAt: pull.merged_at }),
    ...(pull.draft && { draft: true }),
    ...(labels.length > 0 && { labels }),
  };
}

export const Tree = z.object({
  sha: z.string(),
  truncated: z.boolean().nullish(),
  tree: z.array(
    z.object({
      path: z.string(),
      mode: z.string(),
      type: z.string(),
      size: z.int().nullish(),
      sha: z.string(),
    }),
  ),
});

export const Blob = z.object({ content: z.string(), encoding: z.string() });
export const Sha = z.object({ sha: z.string() });
export const Commit = z.object({
  sha: z.string(),
  tree: z.object({ sha: z.string() }),
  parents: z.array(z.object({ sha: z.string() })),
});

const Signature = z.object({ name: z.string().nullish(), email: z.string().nullish() }).nullish();
export const Compared = z.object({
  total_commits: z.int(),
  commits: z.array(
    z.object({
      author: Person,
      committer: Person,
      commit: z.object({ author: Signature, committer: Signature }),
    }),
  ),
});
export type ComparedCommit = z.infer<typeof Compared>['commits'][number];

export const CommentAnswer = z.object({ body: z.string().nullish(), created_at: z.string(), user: Person });

export function toComment({ body, created_at, user }: z.infer<typeof CommentAnswer>): Comment {
  return { author: user?.login ?? 'ghost', body: body ?? '', createdAt: created_at };
}

export const Statuses = z.object({ statuses: z.array(z.object({ context: z.string(), state: z.string() })) });
export const CheckRuns = z.object({
  check_runs: z.array(z.object({ name: z.string(), status: z.string(), conclusion: z.string().nullish() })),
});

/** Conclusions of check runs that keep nothing from being merged. */
const FINE = ['success', 'neutral', 'skipped'];

/** Statuses of the older interface and check runs of the newer, which both count. */
export function toChecks(statuses: z.infer<typeof Statuses>, runs: z.infer<typeof CheckRuns>): Checks {
  const ofStatuses = statuses.statuses.map(({ context, state }): SingleCheck => {
    return { name: context, state: state === 'pending' ? 'pending' : state === 'success' ? 'passing' : 'failing' };
  });
  const ofRuns = runs.check_runs.map(({ name, status, conclusion }): SingleCheck => {
    const ended = FINE.includes(conclusion ?? '') ? 'passing' : 'failing';
    return { name, state: status === 'completed' ? ended : 'pending' };
  });
  return summarise([...ofStatuses, ...ofRuns]);
}

export const Repository = z.object({
  full_name: z.string(),
  name: z.string(),
  node_id: z.string(),
  archived: z.boolean().nullish(),
  disabled: z.boolean().nullish(),
  fork: z.boolean(),
  mirror_url: z.string().nullish(),
  topics: z.array(z.string()).nullish(),
  allow_merge_commit: z.boolean().nullish(),
  allow_squash_merge: z.boolean().nullish(),
});
export type Repository = z.infer<typeof Repository>;
