import { type Digest, digestOf } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import { parseOsRelease } from '../domain/packages/os-release.ts';
import type { ImageFiles, PackageReader } from '../domain/packages/reader.ts';
import type { PackageState } from '../domain/packages/state.ts';
import { formatReference, type Reference } from '../domain/reference.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { readTree } from './files.ts';
import { PACKAGE_READERS } from './package-readers.ts';
import { resolvePath, type Tree } from './tree.ts';

const OS_RELEASE = ['/etc/os-release', '/usr/lib/os-release'];

/** Databases of packages are large; what is larger is none. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/**
 * What one platform has installed and from where, from its layers alone.
 * @param reference of a platform's manifest, not of an index
 * @throws RegistryError as `readTree` does
 */
export async function readPackageState(
  registry: Registry,
  reference: Reference,
  { signal }: Call = {},
  readers: readonly PackageReader[] = PACKAGE_READERS,
): Promise<PackageState> {
  const wanted = (path: string) => OS_RELEASE.includes(path) || readers.some((reader) => reader.wanted(path));
  const tree = await readTree(registry, reference, { wanted, maxFileBytes: MAX_FILE_BYTES, signal });
  const files = filesOf(tree, wanted, formatReference(reference));
  const release = OS_RELEASE.map((path) => files.get(path)).find((content) => content !== undefined);
  const os = parseOsRelease(new TextDecoder().decode(release));
  for (const { manager, read } of readers) {
    const found = await read(files);
    if (found !== undefined) return withDigest({ manager, os, ...found });
  }
  return withDigest({ manager: 'none', os, architecture: 'none', installed: [], files: {} });
}

/** Contents of all that is wanted, also where it is a symlink to something that is. */
function filesOf(tree: Tree, wanted: (path: string) => boolean, image: string): ImageFiles {
  const files = new Map<string, Uint8Array>();
  for (const [path, entry] of tree) {
    if (!wanted(path)) continue;
    const found = entry.type === 'symlink' ? tree.get(resolvePath(tree, path) ?? '') : entry;
    if (found?.type !== 'file') continue;
    if (found.content !== undefined) files.set(path, found.content);
    else if (found === entry) throw tooLarge(path, image);
  }
  return files;
}

function tooLarge(path: string, image: string): FactoryError<'usage'> {
  return new FactoryError(`${path} in ${image} has more than ${MAX_FILE_BYTES} bytes; its packages are not read`, {
    code: 'usage',
  });
}

function withDigest(state: Omit<PackageState, 'digest'>): PackageState {
  const files = Object.entries(state.files).map(([path, content]) => [path, digestOf(content)]);
  return { ...state, digest: stateDigest(state, files as [string, Digest][]) };
}

function stateDigest(
  { manager, os, architecture, releasever, installed }: Omit<PackageState, 'digest'>,
  files: [string, Digest][],
) {
  return digestOf(
    JSON.stringify([manager, os.id, os.version, os.codename, architecture, releasever, installed, files.sort()]),
  );
}
