/** Where archives are read from instead: `host/path` as sources write it, without scheme, to another address. */
export type ArchiveMap = Readonly<Record<string, ArchiveMirror>>;

export interface ArchiveMirror {
  /** http(s) address that stands for the whole key. */
  readonly url: string;
  /** Path of a keyring, relative to ingot.yaml, for a mirror that signs its own indexes. */
  readonly keyring?: string;
}

/**
 * The address at which an archive is asked: the longest key that is the whole address or a folder of it is replaced by
 * its mirror. Both have a slash at their end.
 */
export function mirrorOf(uri: string, archives: ArchiveMap): ArchiveMirror {
  const plain = withSlash(uri.replace(/^[a-z+]+:\/\/(?:[^/@]*@)?/i, ''));
  const keys = Object.keys(archives).filter((key) => plain.startsWith(withSlash(key)));
  const [longest] = keys.sort((a, b) => b.length - a.length);
  if (longest === undefined) return { url: withSlash(uri) };
  const mirror = archives[longest]!;
  return { ...mirror, url: withSlash(mirror.url) + plain.slice(withSlash(longest).length) };
}

/** The same for an address as a source writes it; `undefined` when it has no mirror. */
export function mirroredAddress(address: string, archives: ArchiveMap): string | undefined {
  const { url } = mirrorOf(address, archives);
  if (url === withSlash(address)) return undefined;
  return address.endsWith('/') ? url : url.slice(0, -1);
}

function withSlash(address: string): string {
  return address.endsWith('/') ? address : `${address}/`;
}
