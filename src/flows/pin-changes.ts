import type { ImageChange, KnownDigest, LeftPin } from '../domain/bump/format.ts';
import { formatFor } from '../domain/bump/formats.ts';
import type { Digest } from '../domain/digest.ts';
import type { MovedPin } from '../domain/pull-request.ts';
import type { ForgeRepository, RepositoryFile } from '../forge/forge.ts';

const MAX_FILE_BYTES = 1024 * 1024;

/** What a release means for one repository at one commit. */
export interface PinChanges {
  /** Files with their pins moved. */
  readonly files: readonly { readonly path: string; readonly content: Uint8Array }[];
  readonly pins: readonly MovedPin[];
  /** Places that name the release already. */
  readonly current: number;
  readonly left: readonly (LeftPin & { readonly path: string })[];
}

/** Reads the files that can hold a pin, and moves the pins in memory. Links and submodules are none of our business. */
export async function findPinChanges(
  repository: ForgeRepository,
  commit: string,
  change: ImageChange,
  identify: (digest: Digest) => Promise<KnownDigest | undefined>,
  signal: AbortSignal,
): Promise<PinChanges> {
  const all = await repository.files(commit, { signal });
  const candidates = all.filter(({ path, mode }) => mode.startsWith('100') && formatFor(path) !== undefined);
  const results: PinChanges[] = [];
  for (const file of candidates) {
    if (file.size > MAX_FILE_BYTES) results.push(tooLarge(file));
    else {
      const content = await repository.read(file, { signal });
      const known = await knownDigests(file.path, content, change, identify);
      results.push(bumpFile(file.path, content, { ...change, known }));
    }
  }
  return {
    files: results.flatMap(({ files }) => files),
    pins: results.flatMap(({ pins }) => pins),
    current: results.reduce((sum, { current }) => sum + current, 0),
    left: results.flatMap(({ left }) => left),
  };
}

async function knownDigests(
  path: string,
  content: Uint8Array,
  { repository, digest: release }: ImageChange,
  identify: (digest: Digest) => Promise<KnownDigest | undefined>,
): Promise<ReadonlyMap<Digest, KnownDigest>> {
  const pins = formatFor(path)!.findPins(content, [repository]);
  const digests = new Set(pins.flatMap(({ reference }) => reference.digest ?? []));
  const known = new Map<Digest, KnownDigest>();
  for (const digest of digests) {
    const found = digest === release ? undefined : await identify(digest);
    if (found !== undefined) known.set(digest, found);
  }
  return known;
}

function bumpFile(path: string, content: Uint8Array, change: ImageChange): PinChanges {
  const bump = formatFor(path)!.bump(content, change);
  return {
    files: bump.pins.length === 0 ? [] : [{ path, content: bump.content }],
    pins: bump.pins.map((pin) => ({ path, ...pin })),
    current: bump.current.length,
    left: bump.left.map((pin) => ({ path, ...pin })),
  };
}

function tooLarge({ path, size }: RepositoryFile): PinChanges {
  const message = `the file was not read: ${size} bytes are too many for what it is`;
  return { files: [], pins: [], current: 0, left: [{ path, line: 1, written: '', reason: 'unsafe', message }] };
}
