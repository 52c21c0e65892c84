import { join } from 'node:path';
import { z } from 'zod';
import { type Digest, digestOf, hexOf, zDigest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { PackageReader } from '../domain/packages/reader.ts';
import type { PackageState } from '../domain/packages/state.ts';
import { formatReference, type Reference } from '../domain/reference.ts';
import { createFileStore } from '../lib/file-store.ts';
import { untilAborted } from '../lib/until-aborted.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { PACKAGE_READERS } from './package-readers.ts';
import { readPackageState } from './package-state.ts';

export interface PackageStates {
  /**
   * What is installed in one platform of an image. Its layers are read once ever, then the answer is on disk.
   * @param reference by the digest of a platform's manifest
   */
  state(reference: Reference, call?: Call): Promise<PackageState>;
}

export interface PackageStatesOptions {
  readonly registry: Registry;
  /** Everything below it is ours. Losing it costs time, nothing else. */
  readonly directory: string;
  /** The longest unused states go when there are more bytes; default 1 GiB. */
  readonly maxBytes?: number;
  readonly readers?: readonly PackageReader[];
}

/** Part of the folder's name: states that were read by other rules are read anew. */
const FORMAT = 'v3';

const Stored = z.object({
  manager: z.enum(['apt', 'apk', 'rpm', 'none']),
  os: z.object({ id: z.string(), version: z.string().optional(), codename: z.string().optional() }),
  architecture: z.string(),
  releasever: z.string().optional(),
  installed: z.array(
    z.object({
      ...{ name: z.string(), version: z.string(), architecture: z.string() },
      ...{ source: z.string(), sourceVersion: z.string(), held: z.boolean().optional() },
    }),
  ),
  files: z.record(z.string(), zDigest),
  digest: zDigest,
});
type Stored = z.infer<typeof Stored>;

/** Remembers states by the digest of the platform's manifest, in memory while asked for, on disk for good. */
export function createPackageStates(options: PackageStatesOptions): PackageStates {
  const { registry, directory, maxBytes = 1024 ** 3, readers = PACKAGE_READERS } = options;
  const store = createStore(join(directory, FORMAT), maxBytes);
  const running = new Map<Digest, Promise<PackageState>>();
  const read = async (reference: Reference, digest: Digest) => {
    const known = await store.read(digest);
    if (known !== undefined) return known;
    // Asked for by several: the first one's signal must not end it for the others.
    const state = await readPackageState(registry, reference, {}, readers);
    await store.write(digest, state);
    return state;
  };
  return {
    async state(reference, { signal } = {}) {
      signal?.throwIfAborted();
      const { digest } = reference;
      if (digest === undefined) throw notPinned(reference);
      const asked = running.get(digest) ?? read(reference, digest).finally(() => running.delete(digest));
      running.set(digest, asked);
      return untilAborted(asked, signal);
    },
  };
}

function notPinned(reference: Reference): FactoryError<'bug'> {
  const what = formatReference(reference);
  return new FactoryError(`packages are read by digest, not from ${what}`, { code: 'bug' });
}

const MAX_IN_USE = 10_000;

/** States as JSON, the files in them by digest: images of one family share their keyrings. */
function createStore(directory: string, maxBytes: number) {
  const states = createFileStore({ directory: join(directory, 'states'), maxBytes: maxBytes / 4 });
  const contents = createFileStore({ directory: join(directory, 'files'), maxBytes: (maxBytes * 3) / 4 });
  const inUse = new Map<Digest, WeakRef<Uint8Array>>();
  const contentOf = async (digest: Digest): Promise<Uint8Array> => {
    const shared = inUse.get(digest)?.deref();
    if (shared !== undefined) return shared;
    const bytes = await contents.read(hexOf(digest));
    if (bytes === undefined || digestOf(bytes) !== digest) throw new Error(`${digest} is not whole`);
    if (inUse.size > MAX_IN_USE) inUse.clear();
    inUse.set(digest, new WeakRef(bytes));
    return bytes;
  };
  return {
    /** What is not whole counts as absent. */
    async read(key: Digest): Promise<PackageState | undefined> {
      const text = await states.read(`${hexOf(key)}.json`);
      if (text === undefined) return undefined;
      try {
        const stored = Stored.parse(JSON.parse(text.toString())) as Omit<PackageState, 'files'> & Pick<Stored, 'files'>;
        const files = Object.entries(stored.files).map(async ([path, digest]) => [path, await contentOf(digest)]);
        return { ...stored, files: Object.fromEntries(await Promise.all(files)) };
      } catch {
        return undefined;
      }
    },
    async write(key: Digest, state: PackageState): Promise<void> {
      const files: Record<string, Digest> = {};
      for (const [path, content] of Object.entries(state.files)) {
        const digest = digestOf(content);
        files[path] = digest;
        await contents.write(hexOf(digest), content);
      }
      await states.write(`${hexOf(key)}.json`, JSON.stringify({ ...state, files }));
    },
  };
}
