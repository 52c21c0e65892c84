import { type Digest, isDigest } from '../domain/digest.ts';
import { ArchiveError } from './archives.ts';
import { oneChunk, readXml } from './xml.ts';

/** A file that a repository's list names. */
export interface RepoFile {
  readonly digest: Digest;
  /** Bytes; absent where the list does not say. */
  readonly size?: number;
  /** Relative to the repository, or an address. */
  readonly path: string;
}

/** Reads `repomd.xml`: files by their type, `primary` and `updateinfo` among them. */
export async function parseRepomd(bytes: Uint8Array, what: string): Promise<ReadonlyMap<string, RepoFile>> {
  const files = new Map<string, RepoFile>();
  let entry: Record<string, string> = {};
  await readXml(oneChunk(bytes), what, {
    open(name, attributes) {
      if (name === 'data') entry = { type: attributes.type ?? '' };
      else if (name === 'checksum') entry.algorithm = attributes.type ?? '';
      else if (name === 'location') entry.path = `${attributes['xml:base'] ?? ''}${attributes.href ?? ''}`;
    },
    close(name, text) {
      if (name === 'checksum' || name === 'size') entry[name] = text.trim();
      if (name !== 'data') return;
      const file = toFile(entry, what);
      if (file !== undefined) files.set(entry.type!, file);
    },
  });
  if (files.has('primary') && /<\/repomd>\s*$/.test(tailOf(bytes))) return files;
  throw new ArchiveError(`${what} is no whole list of a repository`, { code: 'protocol' });
}

const WANTED = ['primary', 'updateinfo'];

function toFile({ type = '', algorithm, checksum, path, size }: Record<string, string>, what: string) {
  if (!WANTED.includes(type)) return undefined;
  const digest = `${algorithm}:${checksum?.toLowerCase()}`;
  if (!path || !isDigest(digest)) {
    throw new ArchiveError(`${what} gives no SHA256 digest of "${type}"; ingot reads no repository without them`, {
      code: 'protocol',
    });
  }
  return { digest, path, ...(size && /^\d+$/.test(size) ? { size: Number(size) } : {}) };
}

function tailOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(-64));
}

/** What a metalink says of `repomd.xml`: where it is and what it is (Metalink 3.0, with MirrorManager's alternates). */
export interface Metalink {
  /** Of the newest list; that of alternates, which hide what is new, does not count. */
  readonly digest: Digest;
  /** Addresses of repositories, the preferred first, with a slash at their end. */
  readonly baseUrls: readonly string[];
}

export async function parseMetalink(bytes: Uint8Array, what: string): Promise<Metalink> {
  const urls: { readonly url: string; readonly preference: number }[] = [];
  let [digest, algorithm, preference] = ['', '', 0];
  let inAlternates = false;
  await readXml(oneChunk(bytes), what, {
    open(name, attributes) {
      if (name === 'mm0:alternates') inAlternates = true;
      else if (name === 'hash') algorithm = attributes.type ?? '';
      else if (name === 'url') preference = Number(attributes.preference ?? 0);
    },
    close(name, text) {
      if (name === 'mm0:alternates') inAlternates = false;
      else if (name === 'hash' && algorithm === 'sha256' && !inAlternates) digest = `sha256:${text.trim()}`;
      else if (name === 'url') urls.push({ url: text.trim(), preference });
    },
  });
  if (!isDigest(digest)) throw new ArchiveError(`${what} gives no SHA256 digest of repomd.xml`, { code: 'protocol' });
  const sorted = urls.sort((a, b) => b.preference - a.preference).map(({ url }) => url);
  return { digest, baseUrls: repositoriesIn(sorted) };
}

/** Reads a list of mirrors: an address a line. */
export function parseMirrorlist(bytes: Uint8Array): readonly string[] {
  return new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /^https?:\/\//i.test(line) && URL.canParse(line))
    .map((url) => (url.endsWith('/') ? url : `${url}/`));
}

function repositoriesIn(urls: readonly string[]): readonly string[] {
  return urls
    .filter((url) => /^https?:\/\/.*\/repodata\/repomd\.xml$/i.test(url) && URL.canParse(url))
    .map((url) => url.slice(0, -'repodata/repomd.xml'.length));
}
