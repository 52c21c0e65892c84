import { isAptConf } from './apt-conf.ts';
import { isPreferences } from './deb-preferences.ts';
import { type DebSource, isSourcesFile, parseDebSources } from './deb-sources.ts';
import { nativeArchitecture, parseDpkgStatus } from './deb-status.ts';
import type { ImageFiles, PackageReader, ReadPackages } from './reader.ts';

export const DPKG_STATUS = '/var/lib/dpkg/status';
/** Further architectures of packages that the image takes. */
export const DPKG_ARCHITECTURES = '/var/lib/dpkg/arch';

const text = (content: Uint8Array) => new TextDecoder().decode(content);

/** What dpkg and apt leave in an image; also images without both that list their packages in status.d (distroless). */
export const aptReader: PackageReader = {
  manager: 'apt',
  wanted: (path) => isStatus(path) || path === DPKG_ARCHITECTURES || isConfiguration(path) || isKeyring(path),
  read(files): ReadPackages | undefined {
    const status = [...files].filter(([path]) => isStatus(path)).map(([, content]) => text(content));
    const installed = parseDpkgStatus(status.join('\n\n'));
    if (installed.length === 0) return undefined;
    return { architecture: nativeArchitecture(installed), installed, files: keptFiles(files) };
  },
};

/** Distroless images keep digests beside the stanzas, as `<package>.md5sums`. */
function isStatus(path: string): boolean {
  return path === DPKG_STATUS || (path.startsWith(`${DPKG_STATUS}.d/`) && !path.endsWith('.md5sums'));
}

function isConfiguration(path: string): boolean {
  return isSourcesFile(path) || isPreferences(path) || isAptConf(path);
}

/** Those that apt trusts for everything (apt-secure(8)). */
export function isTrustedKeyring(path: string): boolean {
  return path === '/etc/apt/trusted.gpg' || /^\/etc\/apt\/trusted\.gpg\.d\/[\w.-]+\.(gpg|asc)$/.test(path);
}

/** A source may name a keyring anywhere; which ones it names is known only when all layers are read. */
function isKeyring(path: string): boolean {
  return (
    isTrustedKeyring(path) ||
    /\/keyrings\/[^/]+$/.test(path) ||
    /^\/(etc|usr|opt|var\/lib)\/.*\.(gpg|asc|pgp)$/.test(path)
  );
}

/** Configuration, the keyrings that it trusts, and the status file, from which closures are resolved. */
function keptFiles(files: ImageFiles): Record<string, Uint8Array> {
  const named = new Set(debSourcesOf(Object.fromEntries(files)).flatMap(({ signedBy }) => signedBy));
  const kept = [...files].filter(
    ([path]) =>
      path === DPKG_STATUS ||
      path === DPKG_ARCHITECTURES ||
      isConfiguration(path) ||
      isTrustedKeyring(path) ||
      named.has(path),
  );
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** All sources of an image: sources.list, then the files beside it by name. */
export function debSourcesOf(files: Readonly<Record<string, Uint8Array>>): readonly DebSource[] {
  return inOrder(files, isSourcesFile, '/etc/apt/sources.list').flatMap(([path, content]) =>
    parseDebSources(content, path),
  );
}

/** The files of one kind as text, by name, with the main one at its place. */
export function inOrder(
  files: Readonly<Record<string, Uint8Array>>,
  isKind: (path: string) => boolean,
  first?: string,
): readonly (readonly [string, string])[] {
  const paths = Object.keys(files).filter(isKind);
  const sorted = paths.sort((a, b) => Number(b === first) - Number(a === first) || (a < b ? -1 : 1));
  return sorted.map((path) => [path, text(files[path]!)] as const);
}
