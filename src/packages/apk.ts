import { digestOf } from '../domain/digest.ts';
import { APK_ARCH, APK_WORLD, apkArchitectures, isApkKey } from '../domain/packages/apk-files.ts';
import { type ApkRepository, apkRepositoriesOf } from '../domain/packages/apk-repositories.ts';
import { type ApkOrigin, apkUpdate, parseApkWorld } from '../domain/packages/apk-updates.ts';
import { mirroredAddress, mirrorOf } from '../domain/packages/archive-address.ts';
import type { PackageState } from '../domain/packages/state.ts';
import { safeUrl } from '../lib/http.ts';
import { untilAborted } from '../lib/until-aborted.ts';
import { type ApkIndex, parseApkIndex } from './apk-index.ts';
import { writeApkLists } from './apk-lists.ts';
import { type ApkTrust, verifiedApkIndex } from './apk-signature.ts';
import type { ArchiveFetch, ArchiveOptions } from './archive-fetch.ts';
import { ArchiveError, type Archives, type ListedArchives } from './archives.ts';
import { createKept, type Kept } from './kept.ts';

interface Caches {
  readonly files: Kept<Uint8Array>;
  /** By content and by whom is trusted. */
  readonly indexes: Kept<ApkIndex>;
}

const IDLE_MS = 3_600_000;

/** What apk in an image would upgrade, from the signed indexes of the archives that the image names. */
export function createApkArchives(options: ArchiveOptions): Archives & ListedArchives {
  const { now, freshForMs = 5 * 60_000 } = options;
  const caches: Caches = {
    files: createKept({ now, forMs: freshForMs }),
    indexes: createKept({ now, forMs: IDLE_MS, sliding: true }),
  };
  return {
    updates: (state, { signal }) => untilAborted(updatesOf(state, caches, options), signal),
    lists: (states, directory, { signal } = {}) =>
      untilAborted(listsOf(states, directory, { caches, options }), signal),
  };
}

async function listsOf(states: readonly PackageState[], directory: string, parts: Omit<Context, 'state'>) {
  const found = states.flatMap((state) =>
    apkRepositoriesOf(state).map(async (repository) => {
      const { place } = await placeOf(repository, parts.options);
      const what = safeUrl(new URL(place));
      const bytes = await indexBytes(place, what, parts.caches, parts.options.fetch);
      // apk verifies it again, and knows no keys but those of the image.
      await verifiedApkIndex(bytes, trustOf(state, []), what);
      // The build names archives by their mirrors, too
      return { index: mirroredAddress(repository.index, parts.options.mirrors) ?? repository.index, bytes };
    }),
  );
  return writeApkLists(await Promise.all(found), directory);
}

async function updatesOf(state: PackageState, caches: Caches, options: ArchiveOptions) {
  const { files, architecture, installed } = state;
  const repositories = apkRepositoriesOf(state);
  const origins = await Promise.all(repositories.map((repository) => originOf(repository, { state, caches, options })));
  const listed = apkArchitectures(files[APK_ARCH]);
  const offers = {
    origins,
    world: parseApkWorld(new TextDecoder().decode(files[APK_WORLD])),
    architectures: [architecture, ...listed],
  };
  return installed
    .flatMap((each) => apkUpdate(each, offers) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

interface Context {
  readonly state: PackageState;
  readonly caches: Caches;
  readonly options: ArchiveOptions;
}

async function originOf(repository: ApkRepository, { state, caches, options }: Context): Promise<ApkOrigin> {
  const { address, tag } = repository;
  const { place, mirrorKeys } = await placeOf(repository, options);
  const { find } = await loadIndex(place, trustOf(state, mirrorKeys), caches, options.fetch);
  return { name: nameOf(address), find, ...(tag === undefined ? {} : { tag }) };
}

/** Where its index is asked for, and who is trusted there besides those whom the image trusts. */
async function placeOf({ index, address, file, format }: ApkRepository, { mirrors, readKeyring }: ArchiveOptions) {
  if (!/^https?:\/\//i.test(index) || !URL.canParse(index)) {
    throw new ArchiveError(
      `${file} in the image names ${address}, which cannot be asked from outside; use an http(s) address, or leave it out`,
      { code: 'unavailable' },
    );
  }
  if (format === 'v3') {
    throw new ArchiveError(
      `${file} in the image names an index in apk's binary format, which ingot does not read; use the APKINDEX.tar.gz of ${address}`,
      { code: 'protocol' },
    );
  }
  const folder = index.slice(0, index.lastIndexOf('/') + 1);
  const { url, keyring } = mirrorOf(folder, mirrors);
  const mirrorKeys = keyring === undefined ? [] : [await readKeyring(keyring)];
  return { place: url + index.slice(folder.length), mirrorKeys };
}

function trustOf({ files }: PackageState, anyName: readonly Uint8Array[]): ApkTrust {
  const keys = Object.keys(files)
    .filter(isApkKey)
    .sort()
    .reverse()
    .map((path) => [path.slice(path.lastIndexOf('/') + 1), files[path]!] as const);
  return { keys: new Map(keys), anyName };
}

async function loadIndex(place: string, trust: ApkTrust, caches: Caches, fetch: ArchiveFetch) {
  const { indexes } = caches;
  const what = safeUrl(new URL(place));
  const bytes = await indexBytes(place, what, caches, fetch);
  const trusted = digestOf([...trust.keys.values(), ...trust.anyName].map((key) => digestOf(key)).join(' '));
  return indexes.get(`${digestOf(bytes)} ${trusted} ${[...trust.keys.keys()]}`, async () =>
    parseApkIndex(await verifiedApkIndex(bytes, trust, what), what),
  );
}

function indexBytes(place: string, what: string, { files }: Caches, fetch: ArchiveFetch): Promise<Uint8Array> {
  return files.get(place, async () => {
    const found = await fetch.document(place);
    if (found !== undefined) return found;
    throw new ArchiveError(`${what} is not there; the repository in the image or its architecture is wrong`, {
      code: 'unavailable',
    });
  });
}

/** Without an account that may be in it. */
function nameOf(address: string): string {
  return safeUrl(new URL(address));
}
