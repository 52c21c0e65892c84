import type { KnownDigest } from '../domain/bump/format.ts';
import type { Digest } from '../domain/digest.ts';
import { branchOf } from '../domain/our-branches.ts';
import type { ForgeRepository, PullRequest, RepositoryFile } from '../forge/forge.ts';
import { findPinChanges, type PinRequest } from './pin-changes.ts';
import { messageOf } from './steps.ts';

/** A release that may come, and what is known of the digests that pins name. */
export interface ReleaseAhead extends PinRequest {
  readonly image: string;
  identify(digest: Digest): Promise<KnownDigest | undefined>;
}

/** What a release would mean for one downstream repository. */
export interface PullPreview {
  readonly repository: string;
  readonly image: string;
  /** `stuck`: somebody else has commits on the branch. `unknown`: the repository could not be asked. */
  readonly action: 'open' | 'update' | 'stuck' | 'unknown';
  /** Of the pull request that is open already. */
  readonly number?: number;
  /** Places that would move. */
  readonly pins: readonly { readonly path: string; readonly line: number }[];
  /** What could not be asked. */
  readonly message?: string;
}

/** Looks which pull requests releases would bring, and writes nothing. Repositories without a pin are left out. */
export async function previewPulls(
  repositories: readonly ForgeRepository[],
  releases: readonly ReleaseAhead[],
  signal: AbortSignal,
): Promise<readonly PullPreview[]> {
  const previews: PullPreview[] = [];
  for (const repository of repositories.map(remembering)) {
    for (const release of releases) previews.push(...(await previewPull(repository, release, signal)));
  }
  return previews;
}

async function previewPull(
  repository: ForgeRepository,
  release: ReleaseAhead,
  signal: AbortSignal,
): Promise<readonly PullPreview[]> {
  const subject = { repository: repository.name, image: release.image };
  try {
    const { head: base, defaultBranch } = await repository.look({ signal });
    const { pins } = await findPinChanges(repository, base.commit, release, release.identify, signal);
    if (pins.length === 0) return [];
    const branch = branchOf(release.image, { base: base.branch, defaultBranch });
    const open = (await repository.pulls({ branch }, { signal })).find(({ state }) => state === 'open');
    const isTaken =
      (await repository.branch(branch, { signal })) !== undefined &&
      !(await repository.isOurs(branch, base.branch, { signal }));
    return [{ ...subject, ...actionOf(open, isTaken), pins: pins.map(({ path, line }) => ({ path, line })) }];
  } catch (error) {
    if (signal.aborted) throw error;
    return [{ ...subject, action: 'unknown', pins: [], message: messageOf(error) }];
  }
}

function actionOf(open: PullRequest | undefined, isTaken: boolean): Pick<PullPreview, 'action' | 'number'> {
  const number = open === undefined ? {} : { number: open.number };
  if (isTaken) return { action: 'stuck', ...number };
  return { action: open === undefined ? 'open' : 'update', ...number };
}

/** Reads head, list and each file once, however many images are looked for. */
function remembering(repository: ForgeRepository): ForgeRepository {
  const look = once(() => repository.look());
  const files = keyed((commit: string) => repository.files(commit));
  const contents = new Map<string, Promise<Uint8Array>>();
  return {
    ...repository,
    look: () => look(),
    files: (commit) => files(commit),
    read(file: RepositoryFile, call) {
      const content = contents.get(file.blob) ?? repository.read(file, call);
      contents.set(file.blob, content);
      return content;
    },
  };
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}

function keyed<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (key) => {
    const answer = answers.get(key) ?? ask(key);
    answers.set(key, answer);
    return answer;
  };
}
