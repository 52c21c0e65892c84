import { type Digest, digestOf } from '../domain/digest.ts';
import { type ArchiveMap, mirrorOf } from '../domain/packages/archive-address.ts';
import type { RpmRepository } from '../domain/packages/rpm-setup.ts';
import type { RpmOrigin } from '../domain/packages/rpm-updates.ts';
import { isSecureUrl, safeUrl } from '../lib/http.ts';
import { verifiedText } from './apt-signature.ts';
import type { ArchiveFetch } from './archive-fetch.ts';
import { ArchiveError } from './archives.ts';
import type { Kept } from './kept.ts';
import { parsePrimary, parseSecurity, type RpmIndex } from './rpm-index.ts';
import { parseMetalink, parseMirrorlist, parseRepomd, type RepoFile } from './rpm-repomd.ts';

export interface RpmLoadOptions {
  readonly fetch: ArchiveFetch;
  readonly mirrors: ArchiveMap;
  readonly readKeyring: (path: string) => Promise<Uint8Array>;
  readonly now: () => Date;
  /** By content. */
  readonly indexes: Kept<RpmIndex>;
}

/** Where a repository may be, and what its list must be when a metalink says so. */
interface Places {
  readonly baseUrls: readonly string[];
  readonly digest?: Digest;
}

const MIRRORS_ASKED = 5;
const EMPTY: Pick<RpmIndex, 'find'> = { find: () => [] };

/**
 * A repository as its first mirror that answers has it now.
 * @param files of the image, for keys
 * @throws ArchiveError when no mirror has it, or none that can be trusted
 */
export async function loadRepository(
  repository: RpmRepository,
  files: Readonly<Record<string, Uint8Array>>,
  options: RpmLoadOptions,
): Promise<Pick<RpmOrigin, 'find' | 'findSecurity'>> {
  const { baseUrls, digest } = await placesOf(repository, options);
  let failure: unknown;
  for (const named of baseUrls.slice(0, MIRRORS_ASKED)) {
    try {
      return await loadFrom({ repository, named, digest, files }, options);
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  throw new ArchiveError(
    `the repository ${repository.id} of ${repository.file} in the image has no http(s) address; give it a baseurl, or disable it`,
    { code: 'unavailable' },
  );
}

async function placesOf(repository: RpmRepository, options: RpmLoadOptions): Promise<Places> {
  const { id, baseUrls, metalink, mirrorlist, file } = repository;
  if (baseUrls.length > 0) return { baseUrls: baseUrls.filter((url) => /^https?:\/\//i.test(url)) };
  const address = metalink ?? mirrorlist;
  if (address === undefined || !/^https?:\/\//i.test(address) || !URL.canParse(address)) return { baseUrls: [] };
  const url = mirrorOf(address, options.mirrors).url.replace(/\/$/, '');
  // Who may change a list of mirrors may name a digest, too.
  const secure = metalink !== undefined && isSecureUrl(url);
  const bytes = await options.fetch.document(url, { secure });
  const what = safeUrl(new URL(url));
  if (bytes === undefined) {
    throw new ArchiveError(`${what} is not there: the list of mirrors of ${id} in ${file} in the image is wrong`, {
      code: 'unavailable',
    });
  }
  if (metalink === undefined) return { baseUrls: parseMirrorlist(bytes) };
  const found = await parseMetalink(bytes, what);
  return { baseUrls: found.baseUrls, ...(secure ? { digest: found.digest } : {}) };
}

interface Place {
  readonly repository: RpmRepository;
  /** As the image or a list of mirrors names it. */
  readonly named: string;
  readonly digest: Digest | undefined;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

async function loadFrom(place: Place, options: RpmLoadOptions): Promise<Pick<RpmOrigin, 'find' | 'findSecurity'>> {
  const { url, keyring } = mirrorOf(place.named, options.mirrors);
  const what = `${safeUrl(new URL(url))}repodata/repomd.xml`;
  const bytes = await trustedList({ ...place, url, keyring, what }, options);
  const listed = await parseRepomd(bytes, what);
  const index = (type: string, parse: typeof parsePrimary) => {
    const file = listed.get(type);
    return file === undefined ? EMPTY : loadIndex(url, file, { type, parse }, options);
  };
  const [primary, security] = await Promise.all([index('primary', parsePrimary), index('updateinfo', parseSecurity)]);
  return { find: primary.find, findSecurity: security.find };
}

interface ListPlace extends Place {
  readonly url: string;
  readonly keyring: string | undefined;
  readonly what: string;
}

/** The list of a repository, when a key that the image trusts signed it, or a connection that cannot be changed brought it. */
async function trustedList(place: ListPlace, options: RpmLoadOptions): Promise<Uint8Array> {
  const { repository, url, digest, what } = place;
  const byConnection = digest === undefined && isSecureUrl(url) && !repository.signedIndex;
  const address = `${url}repodata/repomd.xml`;
  const bytes = await options.fetch.document(address, { secure: byConnection });
  if (bytes === undefined) {
    throw new ArchiveError(`${what} is not there; ${repository.id} in ${repository.file} in the image is wrong`, {
      code: 'unavailable',
    });
  }
  if (digest !== undefined && digestOf(bytes) !== digest) {
    throw new ArchiveError(
      `${what} is not what the metalink says; the mirror is in the middle of an update, or changed it`,
      {
        ...{ code: 'untrusted', retryable: true },
      },
    );
  }
  if (byConnection || (digest !== undefined && !repository.signedIndex)) return bytes;
  await verifySignature(bytes, `${address}.asc`, place, options);
  return bytes;
}

async function verifySignature(text: Uint8Array, address: string, place: ListPlace, options: RpmLoadOptions) {
  const { repository, what } = place;
  const signature = await options.fetch.document(address);
  if (signature === undefined) {
    const why = repository.signedIndex ? 'repo_gpgcheck wants a signature' : 'it comes over plain http';
    throw untrusted(
      `${what} is not signed, and ${why}; use an https address for ${repository.id}, or a mirror under "archives" in ingot.yaml`,
    );
  }
  const keys = await keysOf(place, options);
  await verifiedText(
    { kind: 'detached', text, signature },
    { files: keys, fingerprints: [] },
    { what, now: options.now() },
  );
}

async function keysOf({ repository, files, keyring }: ListPlace, { fetch, readKeyring }: RpmLoadOptions) {
  const named = repository.keys.map(async (address) => {
    if (address.startsWith('file://')) return files[address.slice('file://'.length)];
    return isSecureUrl(address) ? fetch.document(address, { secure: true }) : undefined;
  });
  const own = keyring === undefined ? [] : [await readKeyring(keyring)];
  const found = [...(await Promise.all(named)), ...own].filter((key) => key !== undefined);
  if (found.length > 0) return found;
  throw untrusted(
    `the image has no key for ${repository.id} of ${repository.file}: none of ${repository.keys.join(', ') || '(no gpgkey)'} is there`,
  );
}

function loadIndex(
  base: string,
  file: RepoFile,
  { type, parse }: { type: string; parse: typeof parsePrimary },
  { fetch, indexes }: RpmLoadOptions,
) {
  const { digest, path, size = MAX_INDEX } = file;
  const url = new URL(path, base).href;
  return indexes.get(`${type} ${digest}`, async () =>
    parse(await fetch.content([url], { digest, size }), safeUrl(new URL(url))),
  );
}

const MAX_INDEX = 1024 ** 3;

function untrusted(message: string): ArchiveError {
  return new ArchiveError(message, { code: 'untrusted' });
}
