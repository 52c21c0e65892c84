import { z } from 'zod';
import { FORGE_HOMES, type WebForgeName } from '../forge-address.ts';
import { ChannelName } from './settings-channels.ts';
import { Duration, Line, VariableName } from './values.ts';

/** How pull requests are opened in a downstream. */
export interface PullSettings {
  readonly labels?: readonly string[] | undefined;
  /** `codeowners`: those of the files that change. */
  readonly reviewers?: readonly string[] | 'codeowners' | undefined;
  readonly assignees?: readonly string[] | undefined;
  readonly draft?: boolean | undefined;
  /** Merged by the forge when the checks pass that the repository requires. */
  readonly autoMerge?: boolean | undefined;
  /** Seconds, see `PullRules`. */
  /** Commits say by whom they are signed off. */
  readonly signoff?: boolean | undefined;
  readonly declineFor?: number | undefined;
  readonly stuckAfter?: number | undefined;
}

/** How fast a forge is written to. */
export interface WriteSettings {
  readonly perMinute?: number | undefined;
  readonly perHour?: number | undefined;
  /** Seconds between two writes. */
  readonly apart?: number | undefined;
}

interface CommonDownstream {
  /** Absent: the default branch. */
  readonly branch?: string | undefined;
  /** In place of `branch`: several that are maintained beside each other. */
  readonly branches?: readonly string[] | undefined;
  /** Absent: the line. */
  readonly channel?: string | undefined;
  readonly pulls?: PullSettings | undefined;
}

/** A git repository on this machine. */
export interface LocalDownstream extends CommonDownstream {
  readonly forge: 'local';
  readonly path: string;
}

/** One repository on a server, or all of an owner. */
export interface WebDownstream extends CommonDownstream {
  readonly forge: WebForgeName;
  /** Of the front page. */
  readonly url: string;
  readonly token?: { readonly env: string } | undefined;
  /** In place of a token: a GitHub App that the owner has installed. */
  readonly app?: { readonly id: string; readonly key: { readonly env: string } } | undefined;
  /** Author of commits. Absent: `ingot`. */
  readonly author?: { readonly name: string; readonly email: string } | undefined;
  /** `acme/shop`; at GitLab with all groups: `acme/web/shop`. */
  readonly repository?: string | undefined;
  /** An organisation, a group or a user, in place of `repository`; narrowed down by what follows. */
  readonly owner?: string | undefined;
  readonly topics?: readonly string[] | undefined;
  readonly names?: readonly string[] | undefined;
  readonly archived?: boolean | undefined;
  readonly forks?: boolean | undefined;
  /** Absent: those that GitHub names; none elsewhere. */
  readonly limits?: WriteSettings | undefined;
}

/** Repositories whose pins are moved. */
export type Downstream = LocalDownstream | WebDownstream;

const Word = Line.min(1, 'is empty');

const Pulls = z.strictObject({
  labels: z.array(Word).optional(),
  reviewers: z
    .union([z.literal('codeowners'), z.array(Word)], { error: 'must be a list of names, or codeowners' })
    .optional(),
  signoff: z.boolean().optional(),
  assignees: z.array(Word).optional(),
  draft: z.boolean().optional(),
  autoMerge: z.boolean().optional(),
  declineFor: Duration.optional(),
  stuckAfter: Duration.optional(),
});

const BranchName = z.string().min(1, 'is empty');

const common = {
  branch: BranchName.optional(),
  branches: z.array(BranchName).min(1, 'is empty; leave it out for the default branch').optional(),
  channel: ChannelName.optional(),
  pulls: Pulls.optional(),
};

function oneWay<T extends z.ZodType<Pick<CommonDownstream, 'branch' | 'branches'>>>(downstream: T): T {
  return downstream.refine(
    ({ branch, branches }) => branch === undefined || branches === undefined,
    'names branches twice; write either "branch" or "branches"',
  );
}

const Local = z.strictObject({ forge: z.literal('local'), path: z.string().min(1, 'is empty'), ...common });

/** A token in the clear would go over the wire of anybody between. */
export const ForgeAddress = z
  .string()
  .regex(
    /^(https:\/\/[^\s@?#]+|http:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?(\/[^\s@?#]*)?)$/,
    'is no address of a forge; write it as in https://git.acme.example, without user and password',
  );

const Secret = z.strictObject({ env: VariableName });

const Limits = z.strictObject({
  perMinute: z.int().positive().optional(),
  perHour: z.int().positive().optional(),
  apart: Duration.optional(),
});

/** Which repositories of a server. */
const which = {
  author: z.strictObject({ name: Word, email: Word }).optional(),
  repository: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+$/, 'is no name of a repository; write it as in acme/shop')
    .optional(),
  owner: z
    .string()
    .regex(/^[\w.-]+$/, 'is no name of an organisation or a user; write it as in acme')
    .optional(),
  topics: z.array(Word).min(1, 'is empty; leave it out for any').optional(),
  names: z.array(Word).min(1, 'is empty; leave it out for all').optional(),
  archived: z.boolean().optional(),
  forks: z.boolean().optional(),
  limits: Limits.optional(),
  ...common,
};
type Which = Pick<WebDownstream, 'repository' | 'owner' | 'topics' | 'names' | 'archived' | 'forks'>;

function checked<T extends z.ZodType<Which>>(downstream: T): T {
  return downstream
    .refine(
      ({ repository, owner }) => (repository === undefined) !== (owner === undefined),
      'must say which repositories; write either "repository" for one or "owner" for all of an organisation or user',
    )
    .refine(
      ({ repository, topics, names, archived, forks }) =>
        repository === undefined || [topics, names, archived, forks].every((each) => each === undefined),
      'narrows down one repository; leave out "topics", "names", "archived" and "forks"',
    );
}

const Gitea = z.strictObject({ forge: z.literal(['gitea', 'forgejo']), url: ForgeAddress, token: Secret, ...which });

const App = z.strictObject({ id: z.union([Word, z.int().positive().transform(String)]), key: Secret });
const Github = z
  .strictObject({
    forge: z.literal('github'),
    url: ForgeAddress.default(FORGE_HOMES.github),
    token: Secret.optional(),
    app: App.optional(),
    ...which,
  })
  .refine(
    ({ token, app }) => (token === undefined) !== (app === undefined),
    'must say who asks; write either "token" or, for a GitHub App, "app" with its "id" and "key"',
  )
  .refine(
    ({ pulls, author }) => !pulls?.signoff || author !== undefined,
    'signs off for nobody; write "author" with "name" and "email" beside "signoff"',
  );

/** Groups lie in groups. */
const Gitlab = z.strictObject({
  forge: z.literal('gitlab'),
  url: ForgeAddress.default(FORGE_HOMES.gitlab),
  token: Secret,
  ...which,
  repository: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)+$/, 'is no path of a project; write it as in acme/web/shop')
    .optional(),
  owner: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'is no path of a group or a user; write it as in acme or acme/web')
    .optional(),
});

export const DownstreamFile = z.discriminatedUnion(
  'forge',
  [oneWay(Local), oneWay(checked(Gitea)), oneWay(checked(Github)), oneWay(checked(Gitlab))],
  {
    error: 'is no forge; write one of local, github, gitlab, gitea, forgejo',
  },
);
