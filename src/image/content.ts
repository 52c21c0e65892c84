import { z } from 'zod';
import type { Content } from '../domain/content-diff.ts';
import { formatReference, type Reference } from '../domain/reference.ts';
import { parseJson, parseManifest } from '../registry/manifest.ts';
import { type Call, type Descriptor, isIndex, type Registry, RegistryError } from '../registry/registry.ts';
import { isSameChange, type KnownChanges, readLayer } from './layer.ts';
import { applyLayer, type Change, type TreeEntry } from './tree.ts';

/** Both file trees; `same` when the layers on top of common ones do the same, and then no more was read. */
export type FilesPair = { readonly before: Content['files']; readonly after: Content['files'] } | 'same';

/** An image's config as it is stored, and its layers. */
export interface ImageParts {
  readonly config: Content['config'];
  readonly layers: readonly Descriptor[];
}

const Config = z.record(z.string(), z.unknown());

/**
 * Reads two platform images as streams: digests of files, no contents. Layers that both begin with are read once, and
 * not at all when what lies above them is the same.
 * @param before a platform's manifest, not an index; so is `after`, in this or another repository
 * @throws RegistryError `missing-content` when one is not there, `protocol` when it is no image of one platform
 */
export async function readPair(
  registry: Registry,
  [beforeReference, afterReference]: readonly [Reference, Reference],
  [before, after]: readonly [ImageParts, ImageParts],
  call: Call = {},
): Promise<FilesPair> {
  const common = commonLayers(before.layers, after.layers);
  const known: KnownChanges = new Map();
  // One after the other: half the buffers in memory
  const old = await readLayers(registry, beforeReference, before.layers.slice(common), { ...call, known });
  const now = await readLayers(registry, afterReference, after.layers.slice(common), { ...call, known });
  known.clear();
  // The same changes in the same order give the same files, whatever they are laid over
  if (isSame(old, now)) return 'same';
  const below = layOver(new Map(), await readLayers(registry, beforeReference, before.layers.slice(0, common), call));
  return { before: layOver(new Map(below), old), after: layOver(below, now) };
}

/** One platform image alone. */
export async function readContent(registry: Registry, reference: Reference, call: Call = {}): Promise<Content> {
  const { config, layers } = await readParts(registry, reference, call);
  return { config, files: layOver(new Map(), await readLayers(registry, reference, layers, call)) };
}

/** Config and layers of one platform image. Errors: see `readPair`. */
export async function readParts(registry: Registry, reference: Reference, call: Call): Promise<ImageParts> {
  const what = formatReference(reference);
  const stored = await registry.manifest(reference, call);
  if (stored === undefined) {
    throw new RegistryError(`${what} is not there; push or copy the whole image again`, { code: 'missing-content' });
  }
  const { config, layers = [] } = parseManifest(stored.bytes, what);
  if (config === undefined || isIndex(stored.descriptor.mediaType)) {
    throw new RegistryError(`${what} is no image of one platform; name one platform's digest`, { code: 'protocol' });
  }
  const parsed = Config.safeParse(parseJson(await registry.blob(reference, config, call), what));
  if (parsed.success) return { config: parsed.data, layers };
  const message = `${what} has a config that is no image config; push the image again`;
  throw new RegistryError(message, { code: 'protocol', cause: parsed.error });
}

function commonLayers(a: readonly Descriptor[], b: readonly Descriptor[]): number {
  const differs = a.findIndex(({ digest }, index) => digest !== b[index]?.digest);
  return differs === -1 ? a.length : differs;
}

type Layers = readonly (readonly Change[])[];

async function readLayers(
  registry: Registry,
  reference: Reference,
  layers: readonly Descriptor[],
  { known, ...call }: Call & { known?: KnownChanges },
): Promise<Layers> {
  const read: (readonly Change[])[] = [];
  for (const layer of layers) {
    const blob = await registry.blobStream(reference, layer, call);
    read.push(await readLayer(blob, { wanted: () => false, maxFileBytes: 0, digests: true, known }));
  }
  return read;
}

/** One by one: for two large arrays `isDeepStrictEqual` needs as much memory again. What is equal is one object mostly. */
function isSame(a: Layers, b: Layers): boolean {
  if (a.length !== b.length) return false;
  return a.every((changes, layer) => {
    const others = b[layer]!;
    if (changes.length !== others.length) return false;
    return changes.every((change, index) => isSameChange(change, others[index]!));
  });
}

function layOver(tree: Map<string, TreeEntry>, layers: Layers): Map<string, TreeEntry> {
  for (const layer of layers) applyLayer(tree, layer);
  return tree;
}
