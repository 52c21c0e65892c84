import type { ImageChange, KnownDigest, LeftPin, Pin, PinFormat, ReleaseChoice } from '../domain/bump/format.ts';
import { createPinRules, type PinRules, REPOSITORY_FILE } from '../domain/bump/rules.ts';
import type { Digest } from '../domain/digest.ts';
import { formatMistake, type Mistake } from '../domain/errors.ts';
import type { PinSettings } from '../domain/fleet/settings-pins.ts';
import type { MovedPin } from '../domain/pull-request.ts';
import type { ForgeRepository } from '../forge/forge.ts';
import { withPolicy } from './pin-facts.ts';
import { isRegular, readPinFile, readRepositoryFile } from './repository-rules.ts';

/** What a release means for one repository at one commit. */
export interface PinChanges {
  /** Files with their pins moved. */
  readonly files: readonly { readonly path: string; readonly content: Uint8Array }[];
  readonly pins: readonly MovedPin[];
  /** Places that name the release already. */
  readonly current: number;
  readonly left: readonly (LeftPin & { readonly path: string })[];
  /** Why nothing of the repository is touched. */
  readonly held?: string;
}

/** What is wanted of pins: by the fleet, and by each repository's own file over it. */
export interface PinRequest extends ImageChange {
  readonly settings?: PinSettings;
  /** Releases besides the one in use; asked only where a policy may need one. */
  readonly older?: () => Promise<readonly ReleaseChoice[]>;
}

/** Reads the files that can hold a pin, and moves the pins in memory. Links and submodules are none of our business. */
export async function findPinChanges(
  repository: ForgeRepository,
  commit: string,
  change: PinRequest,
  identify: (digest: Digest) => Promise<KnownDigest | undefined>,
  signal: AbortSignal,
): Promise<PinChanges> {
  const all = (await repository.files(commit, { signal })).filter(isRegular);
  const read = await readRepositoryFile(repository, all, signal);
  if ('mistakes' in read) return held(read.mistakes);
  const rules = createPinRules([...(change.settings === undefined ? [] : [change.settings]), read.settings]);
  const results: PinChanges[] = [];
  for (const file of all) {
    const format = rules.formatFor(file.path);
    if (format === undefined) continue;
    const { path } = file;
    const { size, content } = await readPinFile(repository, file, signal);
    if (content === undefined) results.push(tooLarge(path, size));
    else results.push(await bumpFile({ path, content, format }, rules, change, identify));
  }
  return {
    files: results.flatMap(({ files }) => files),
    pins: results.flatMap(({ pins }) => pins),
    current: results.reduce((sum, { current }) => sum + current, 0),
    left: results.flatMap(({ left }) => left),
  };
}

interface FileToBump {
  readonly path: string;
  readonly content: Uint8Array;
  readonly format: PinFormat;
}

async function bumpFile(
  { path, content, format }: FileToBump,
  rules: PinRules,
  change: PinRequest,
  identify: (digest: Digest) => Promise<KnownDigest | undefined>,
): Promise<PinChanges> {
  const known = await knownDigests(format.findPins(content, [change.repository]), change.digest, identify);
  const policy = rules.policyOf(path, change.repository);
  const bump = format.bump(content, await withPolicy({ ...change, known }, policy, content, change.older));
  return {
    files: bump.pins.length === 0 ? [] : [{ path, content: bump.content }],
    pins: bump.pins.map((pin) => ({ path, ...pin })),
    current: bump.current.length,
    left: bump.left.map((pin) => ({ path, ...pin })),
  };
}

/** What the registry knows of the digests that pins name, each asked once. */
export async function knownDigests(
  pins: readonly Pin[],
  release: Digest,
  identify: (digest: Digest) => Promise<KnownDigest | undefined>,
): Promise<ReadonlyMap<Digest, KnownDigest>> {
  const digests = new Set(pins.flatMap(({ reference }) => reference.digest ?? []));
  const known = new Map<Digest, KnownDigest>();
  for (const digest of digests) {
    const found = digest === release ? undefined : await identify(digest);
    if (found !== undefined) known.set(digest, found);
  }
  return known;
}

/** Nobody knows what a repository wants whose file cannot be read, so that nothing of it is moved. */
function held(mistakes: readonly Mistake[]): PinChanges {
  const left = mistakes.map(({ line, message, remedy }) => ({
    path: REPOSITORY_FILE,
    line: line ?? 1,
    written: REPOSITORY_FILE,
    reason: 'mistake' as const,
    message: `${message}${remedy === undefined ? '' : `; ${remedy}`}`,
  }));
  const message = `${REPOSITORY_FILE} cannot be read, so that no pin moves: ${formatMistake(mistakes[0]!)}`;
  return { files: [], pins: [], current: 0, left, held: message };
}

function tooLarge(path: string, size: number): PinChanges {
  const message = `the file was not read: ${size} bytes are too many for what it is`;
  return { files: [], pins: [], current: 0, left: [{ path, line: 1, written: '', reason: 'unsafe', message }] };
}
