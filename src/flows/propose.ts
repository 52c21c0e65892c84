import type { KnownDigest, LeftPin, PinVersion } from '../domain/bump/format.ts';
import type { Origin } from '../domain/compare-link.ts';
import type { Digest } from '../domain/digest.ts';
import type { Deprecation } from '../domain/fleet/deprecated.ts';
import { gitBlobId } from '../domain/git-blob.ts';
import type { ImageContent } from '../domain/image-content.ts';
import { branchOf } from '../domain/our-branches.ts';
import { type LeftRelease, leavesKey, type MovedPin } from '../domain/pull-request.ts';
import { closedBody, digestOfFiles, readMarker } from '../domain/pull-request-marker.ts';
import { renderStuck } from '../domain/stuck-comment.ts';
import type { ForgeRepository, Head, OpenedPull, PullRequest, Write } from '../forge/forge.ts';
import { reviewersOf } from './code-owners.ts';
import { findPinChanges, type PinChanges, type PinRequest } from './pin-changes.ts';
import { isClosedByUs, isUrgent, refusalOf, type StuckPull, sinceOf, stuckPull } from './propose-life.ts';
import { describe, quarantinedPins } from './propose-text.ts';

/** A released, verified image that pins shall name. */
export interface ReleaseToPropose extends PinRequest {
  readonly image: string;
  /** Why the release was made, in words. */
  readonly reasons: readonly string[];
  readonly deprecated?: Deprecation | undefined;
  /** What no pin may stay on. */
  readonly quarantined?: readonly LeftRelease[];
  /** It fixes a critical vulnerability. */
  readonly urgent?: boolean;
}

/** What the registry knows of releases; asked only when something has to be written. */
export interface ReleaseLookup {
  /** Which release, or platform of one, a digest is; `undefined` for none. */
  identify(digest: Digest): Promise<KnownDigest | undefined>;
  /** What is in the release that a pin names; `undefined` when it is not to be had any more. */
  content(pin: PinVersion): Promise<ImageContent | undefined>;
  /** Where the release that a pin names is defined. Absent: nobody knows. */
  origin?(pin: PinVersion): Promise<Origin | undefined>;
}

export interface ProposeRequest {
  readonly repository: ForgeRepository;
  readonly release: ReleaseToPropose;
  readonly lookup: ReleaseLookup;
  /** What the time is. Absent: nothing depends on it. */
  readonly now?: Date | undefined;
  readonly signal: AbortSignal;
}

export type ProposeAction =
  | 'opened'
  | 'updated'
  | 'unchanged'
  /** No pin is left to move, so that the open one was closed. */
  | 'closed'
  /** A person closed the one for this very release. */
  | 'declined'
  /** Somebody else works on the branch. */
  | 'stuck'
  /** The repository's own .ingot.yaml is wrong: what is open stays as it is. */
  | 'held'
  /** Its turn comes later: `message` says what it waits for. */
  | 'waiting'
  /** It would be done now; only said where nothing is to be written. */
  | 'due'
  /** Nothing to move, nothing open. */
  | 'none'
  /** The repository could not be asked, or was changed by somebody else meanwhile. */
  | 'unknown';

export interface ProposeResult {
  readonly repository: string;
  /** Into which branch, when that is not the default one. */
  readonly base?: string;
  readonly image: string;
  readonly action: ProposeAction;
  /** Of the pull request that this is about. */
  readonly number?: number;
  readonly title?: string;
  /** What a person should know. */
  readonly message?: string;
  /** Why nobody merges it. */
  readonly stuck?: StuckPull;
  /** What was asked for and could not be had: labels, reviewers. It is open all the same. */
  readonly troubles?: readonly string[];
  readonly pins: readonly MovedPin[];
  readonly left: readonly (LeftPin & { readonly path: string })[];
}

/** What one repository needs, after a look that changed nothing. */
export interface Intent {
  readonly state: State;
  readonly action: ProposeAction;
  /** That this is about. */
  readonly pull?: PullRequest | undefined;
  readonly message?: string | undefined;
  readonly stuck?: StuckPull | undefined;
  /** When another look finds more; milliseconds since the epoch. */
  readonly nextAt?: number | undefined;
  /** Absent: there is nothing to be done. */
  readonly todo?: Todo | undefined;
}

interface Todo {
  readonly writes: readonly Write[];
  /** @returns the pull request as it is then */
  act(): Promise<OpenedPull | undefined>;
}

/**
 * Brings one repository to where one pull request moves its pins to the release, or none is open when none is
 * needed. Level-triggered: a second time does nothing more, and a kill at any moment is made up by the next call.
 */
export async function proposeImage(request: ProposeRequest): Promise<ProposeResult> {
  return carryOut(await examine(request));
}

/** Looks what has to be done, and does nothing. */
export async function examine(request: ProposeRequest): Promise<Intent> {
  const { repository, release, lookup, signal } = request;
  const { head: base, defaultBranch, ours } = await repository.look({ signal });
  const barred = release.quarantined?.some(({ digest }) => digest === release.digest);
  const changes = barred ? NOTHING : await findPinChanges(repository, base.commit, release, lookup.identify, signal);
  const leaves = await quarantinedPins(changes, request);
  const branch = branchOf(release.image, { base: base.branch, defaultBranch });
  const existing = ours.get(branch);
  const isQuiet = changes.pins.length === 0 && existing === undefined && repository.closesWithBranch;
  const pulls = isQuiet ? [] : await repository.pulls({ branch }, { signal });
  const state: State = {
    ...request,
    base,
    branch,
    existing,
    changes,
    leaves,
    pulls,
    open: pulls.find(isOpen),
    isOther: base.branch !== (defaultBranch ?? base.branch),
  };
  if (changes.held !== undefined) return { state, action: 'held', pull: state.open, message: changes.held };
  if (changes.pins.length === 0) return withdraw(state);
  return offer(state);
}

/** Does what a look found to be done. @throws what `pacedUntil` knows, when the forge takes no more writes for now */
export async function carryOut(intent: Intent): Promise<ProposeResult> {
  const { todo, state } = intent;
  if (todo === undefined) return reportOf(intent);
  await state.repository.turns?.take(todo.writes, { urgent: isUrgent(state), signal: state.signal });
  return reportOf({ ...intent, pull: (await todo.act()) ?? intent.pull });
}

export interface State extends ProposeRequest {
  readonly base: Head;
  /** Whether the base is another one than the default branch. */
  readonly isOther: boolean;
  readonly branch: string;
  readonly existing: Head | undefined;
  readonly changes: PinChanges;
  /** Quarantined releases that the pins to be moved are on. */
  readonly leaves: readonly LeftRelease[];
  /** All that ever were for the branch. */
  readonly pulls: readonly PullRequest[];
  readonly open: PullRequest | undefined;
}

/** Nobody is sent to a release that is quarantined while it is still in use. */
const NOTHING: PinChanges = { files: [], pins: [], current: 0, left: [] };

function isOpen({ state }: PullRequest): boolean {
  return state === 'open';
}

async function withdraw(state: State): Promise<Intent> {
  const { repository, open, pulls, existing, branch, changes, signal } = state;
  if (open !== undefined && !(await isOurs(state))) return stuck(state, open);
  const removeBranch = () => repository.removeBranch(branch, { signal });
  if (open !== undefined) {
    const gone = changes.current > 0 ? 'every pin has moved already' : 'there is no pin left to move';
    const why = whyBarred(open, state.release) ?? gone;
    const act = async () => {
      const change = { state: 'closed', body: closedBody(open.body, why) } as const;
      await repository.updatePull(open.number, change, { signal });
      await removeBranch();
      return undefined;
    };
    return { state, action: 'closed', pull: open, message: why, todo: { writes: ['update', 'remove'], act } };
  }
  // Left by a run that was killed, or by a merge. The branch of one that a person closed is the person's to keep.
  const isLeftover = existing !== undefined && pulls.every((pull) => pull.state !== 'closed' || isClosedByUs(pull));
  const act = async () => void (await removeBranch());
  const todo: Todo | undefined = isLeftover && (await isOurs(state)) ? { writes: ['remove'], act } : undefined;
  return { state, action: 'none', message: changes.left.length === 0 ? undefined : 'every pin was left alone', todo };
}

/** The one that it would have moved pins to was quarantined since. */
function whyBarred({ body }: PullRequest, { quarantined = [] }: ReleaseToPropose): string | undefined {
  const marker = readMarker(body);
  const found = quarantined.find(({ digest }) => digest === marker?.digest);
  return found && `${marker!.version} is quarantined by ${found.by}: ${found.why}`;
}

async function offer(state: State): Promise<Intent> {
  const { repository, open, existing, branch, base, changes, signal } = state;
  const refusal = open === undefined ? refusalOf(state) : undefined;
  if (refusal !== undefined) return refusal;
  if (existing !== undefined && !(await isOurs(state))) return stuck(state, open);
  if (open !== undefined && (await isUpToDate(state, open)))
    return { state, action: 'unchanged', pull: open, ...(await stuckPull(state, open)) };
  const act = async () => {
    const { message, ...text } = await describe({ ...state, since: sinceOf(state) ?? state.now?.toISOString() });
    const files = changes.files;
    const expected = { commit: existing?.commit };
    await repository.commit({ branch, onto: base.commit, message, files, expected }, { signal });
    if (open === undefined) {
      const reviewers = await reviewersOf(state);
      return repository.openPull({ branch, base: base.branch, ...text, ...reviewers }, { signal });
    }
    return repository.updatePull(open.number, text, { signal });
  };
  const action = open === undefined ? 'opened' : 'updated';
  return { state, action, pull: open, todo: { writes: ['commit', open === undefined ? 'open' : 'update'], act } };
}

async function isOurs({ repository, branch, base, signal }: State): Promise<boolean> {
  return repository.isOurs(branch, base.branch, { signal });
}

/** The body speaks of the wanted change, and the branch holds it. The base may have moved on elsewhere. */
async function isUpToDate(
  { repository, release, changes, leaves, existing, signal }: State,
  open: PullRequest,
): Promise<boolean> {
  const marker = readMarker(open.body);
  if (existing === undefined || marker?.digest !== release.digest) return false;
  if (marker.leaves !== leavesKey({ leaves, after: release })) return false;
  if (marker.files !== digestOfFiles(changes.files)) return false;
  const files = new Map((await repository.files(existing.commit, { signal })).map((file) => [file.path, file.blob]));
  return changes.files.every(({ path, content }) => {
    const blob = files.get(path);
    return blob !== undefined && blob === gitBlobId(content, blob);
  });
}

/** Said once for each release, where whoever works on the branch reads it. */
async function stuck(state: State, open: PullRequest | undefined): Promise<Intent> {
  const { repository, branch, release, changes, signal } = state;
  const remedy = `delete ${branch} to have ingot propose ${release.version} anew`;
  const message = `somebody else has commits on the branch, which is left alone; ${remedy}`;
  const intent: Intent = { state, action: 'stuck', pull: open, message };
  if (open === undefined || changes.pins.length === 0) return intent;
  const { mark, body } = renderStuck({ ...release, branch, pins: changes.pins });
  const comments = await repository.comments(open.number, { signal });
  if (comments.some((comment) => comment.body.includes(mark))) return intent;
  const act = async () => void (await repository.comment(open.number, body, { signal }));
  return { ...intent, todo: { writes: ['comment'], act } };
}

/** What is said of an intent, done or not. */
export function reportOf({
  state,
  action,
  pull,
  message,
  stuck,
}: Intent & { pull?: OpenedPull | undefined }): ProposeResult {
  const { repository, release, changes, base, isOther } = state;
  return {
    repository: repository.name,
    ...(isOther && { base: base.branch }),
    image: release.image,
    action,
    ...(pull === undefined ? {} : { number: pull.number, title: pull.title }),
    ...(message === undefined ? {} : { message }),
    ...(stuck === undefined ? {} : { stuck }),
    ...(pull?.troubles?.length ? { troubles: pull.troubles } : {}),
    pins: changes.pins,
    left: changes.left,
  };
}
