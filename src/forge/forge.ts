import { type CommonCode, FactoryError } from '../domain/errors.ts';

export type ForgeErrorCode =
  | CommonCode
  | 'not-found'
  | 'unauthorised'
  | 'rate-limited'
  | 'unavailable'
  | 'conflict'
  | 'protocol';

export class ForgeError extends FactoryError<ForgeErrorCode> {}

/** A file of a repository at a commit. Bytes, since nothing but the pin may change. */
export interface RepositoryFile {
  readonly path: string;
  /** Git blob id. */
  readonly blob: string;
  /** Git mode: `100644`, `100755`, `120000` (a link). */
  readonly mode: string;
  /** Bytes; absent where the forge does not say in a list (GitLab). */
  readonly size?: number;
}

/** The head of a branch. */
export interface Head {
  readonly branch: string;
  readonly commit: string;
}

export type PullState = 'open' | 'merged' | 'closed';

/** One pull request. Identity is the branch. */
export interface PullRequest {
  readonly number: number;
  readonly repository: string;
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  readonly state: PullState;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Where the forge says so. */
  readonly mergedAt?: string;
  readonly url?: string;
  /** Not to be merged yet. */
  readonly draft?: boolean;
  readonly labels?: readonly string[];
}

/** What one is opened with. Labels that are not there yet are made; names are those of the forge's users. */
export interface NewPull {
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
  readonly draft?: boolean;
  readonly labels?: readonly string[];
  readonly reviewers?: readonly string[];
  readonly assignees?: readonly string[];
}

/** `troubles`: what was asked for and could not be had. It is open all the same. */
export interface OpenedPull extends PullRequest {
  readonly troubles?: readonly string[];
}

export interface Comment {
  /** Name of a user. */
  readonly author: string;
  /** Markdown. */
  readonly body: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** What checks say of a commit. `none`: nobody has said anything. */
export interface Checks {
  readonly state: 'none' | 'pending' | 'passing' | 'failing';
  /** Names of those that failed. */
  readonly failing: readonly string[];
}

/** A repository at one moment. */
export interface Look {
  readonly head: Head;
  /** Absent when the repository has none. */
  readonly defaultBranch?: string | undefined;
  /** Branches below `ingot/`, by name. */
  readonly ours: ReadonlyMap<string, Head>;
}

export interface CommitRequest {
  readonly branch: string;
  /** Commit that the branch is made from; the branch holds exactly one commit on top. */
  readonly onto: string;
  readonly message: string;
  readonly files: readonly { readonly path: string; readonly content: Uint8Array }[];
  /** What the branch was when it was looked at, `{}` for absent; when it is not that any more: `conflict`. */
  readonly expected?: { readonly commit?: string | undefined };
}

export interface ForgeCall {
  readonly signal?: AbortSignal | undefined;
}

/** What changes something in a forge. */
export type Write = 'commit' | 'open' | 'update' | 'comment' | 'remove';

export interface TurnCall extends ForgeCall {
  /** Goes before what can wait. */
  readonly urgent?: boolean | undefined;
}

/** How fast a forge may be written to. */
export interface Turns {
  /** Names what has one limit in common: a host, and who writes there. */
  readonly group: string;
  /** Where that is, for people. */
  readonly host: string;
  /** Waits until these may follow each other. @throws FactoryError `rate-limited`, see `pacedUntil` */
  take(writes: readonly Write[], call?: TurnCall): Promise<void>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** When all of these would be done, those of several repositories one after the other. Milliseconds since the epoch. */
  until(writes: readonly Write[], call?: TurnCall): Promise<number>;
}

/** How its owners want pull requests to be cared for. Milliseconds. */
export interface PullRules {
  /** So long after a person closed one nothing is proposed. Absent: only what was closed is not proposed again. */
  readonly declineFor?: number | undefined;
  /** An open one that is older is told of, as is one whose checks fail. Absent: nobody asks. */
  readonly stuckAfter?: number | undefined;
  /** Owners of the files that change are asked for a review (CODEOWNERS). */
  readonly codeOwnersReview?: boolean | undefined;
}

/** One downstream repository in its forge. */
export interface ForgeRepository {
  /** How people name it: `acme/shop`, a path for the local forge. */
  readonly name: string;
  /** Whether a pull request is closed when its branch goes: then none is open where there is no branch. */
  readonly closesWithBranch: boolean;
  readonly rules?: PullRules;
  /** Absent: it may be written to at any time. */
  readonly turns?: Turns;
  /** Default branch, or the configured one. @throws ForgeError `not-found` */
  head(call?: ForgeCall): Promise<Head>;
  /** The head and the branches below `ingot/`, in one request. @throws ForgeError `not-found` */
  look(call?: ForgeCall): Promise<Look>;
  files(commit: string, call?: ForgeCall): Promise<readonly RepositoryFile[]>;
  read(file: RepositoryFile, call?: ForgeCall): Promise<Uint8Array>;
  /** The branch's head, `undefined` when there is none. */
  branch(name: string, call?: ForgeCall): Promise<Head | undefined>;
  /** True when every commit of `branch` that `base` lacks was made by ingot. */
  isOurs(branch: string, base: string, call?: ForgeCall): Promise<boolean>;
  /** Makes or replaces the branch by one commit; returns the head. Equal content and parent: no new commit. */
  commit(request: CommitRequest, call?: ForgeCall): Promise<Head>;
  removeBranch(name: string, call?: ForgeCall): Promise<void>;
  pulls(filter?: { branch?: string; state?: PullState }, call?: ForgeCall): Promise<readonly PullRequest[]>;
  /** The open one of the branch when there is one. */
  openPull(pull: NewPull, call?: ForgeCall): Promise<OpenedPull>;
  updatePull(
    number: number,
    change: { title?: string; body?: string; state?: 'open' | 'closed'; draft?: boolean },
    call?: ForgeCall,
  ): Promise<PullRequest>;
  /** A merge commit on the base branch. @throws ForgeError `conflict` when it is closed, a draft, or does not merge */
  merge(number: number, call?: ForgeCall): Promise<PullRequest>;
  /** Has it merged by the forge when its checks pass. @returns false when the repository does not allow that */
  mergeWhenReady(number: number, call?: ForgeCall): Promise<boolean>;
  comments(number: number, call?: ForgeCall): Promise<readonly Comment[]>;
  comment(number: number, body: string, call?: ForgeCall): Promise<void>;
  checks(commit: string, call?: ForgeCall): Promise<Checks>;
}

/** Branches that are ingot's are below this. */
export const OUR_BRANCHES = 'ingot/';
