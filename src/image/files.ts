import { atDigest, formatReference, type Reference } from '../domain/reference.ts';
import { parseManifest } from '../registry/manifest.ts';
import { type Call, isIndex, type Registry, RegistryError } from '../registry/registry.ts';
import { readLayer } from './layer.ts';
import { applyLayer, type Tree, type TreeEntry } from './tree.ts';

export interface TreeOptions extends Call {
  /** Whose content is kept, by absolute path; default none. A hard link has it when its target is wanted. */
  readonly wanted?: ((path: string) => boolean) | undefined;
  /** Larger files have no content; default 1 MiB. */
  readonly maxFileBytes?: number | undefined;
}

/**
 * The file tree of one platform, as a container sees it: layers laid over each other, whiteouts applied. Layers are
 * read as streams, one after another; only wanted contents are in memory.
 * @param reference of a platform's manifest, not of an index
 * @throws RegistryError `missing-content` when it is not there, `protocol` when it is an index
 */
export async function readTree(registry: Registry, reference: Reference, options: TreeOptions = {}): Promise<Tree> {
  const { wanted = () => false, maxFileBytes = 1024 * 1024, signal } = options;
  const what = formatReference(reference);
  const stored = await registry.manifest(reference, { signal });
  if (stored === undefined) {
    throw new RegistryError(`${what} is not there; push or copy the whole image again`, { code: 'missing-content' });
  }
  if (isIndex(stored.descriptor.mediaType)) {
    throw new RegistryError(`${what} is an index; name one platform's digest`, { code: 'protocol' });
  }
  const { layers = [] } = parseManifest(stored.bytes, what);
  const place = atDigest(reference, stored.descriptor.digest);
  const tree = new Map<string, TreeEntry>();
  for (const layer of layers) {
    const blob = await registry.blobStream(place, layer, { signal });
    applyLayer(tree, await readLayer(blob, { wanted, maxFileBytes }));
  }
  return tree;
}
