import type { LimitFunction } from 'p-limit';
import { atDigest, atTag, formatReference, type Reference } from '../domain/reference.ts';
import type { Blobs } from './blobs.ts';
import { parseManifest } from './manifest.ts';
import { type Call, type Descriptor, isIndex, type Registry, RegistryError, type StoredManifest } from './registry.ts';

export interface CopyDeps {
  readonly registry: Pick<Registry, 'head' | 'manifest' | 'putManifest'>;
  readonly blobs: Blobs;
  /** Of all copies together: each transfer may hold two connections. */
  readonly limit: LimitFunction;
}

export type Copy = Registry['copy'];

/**
 * Copies a manifest with all that hangs below it: what is named must be there before what names it. The bytes stay as
 * they are, and so the digests.
 */
export function createCopy({ registry, blobs, limit }: CopyDeps): Copy {
  async function copy(from: Reference, to: Reference, call: Call = {}): Promise<Descriptor> {
    const stored = await registry.manifest(from, call);
    if (stored === undefined) throw missing(from);
    const { mediaType, digest } = stored.descriptor;
    const byDigest = atDigest(to, digest);
    const there = await registry.head(byDigest, call);
    // A registry takes an image only when it is whole, but an index whose child was deleted later stays as it is
    if (there === undefined || isIndex(mediaType)) await copyContent({ stored, from, to, call });
    if (there !== undefined && to.tag === undefined) return stored.descriptor;
    const target = to.tag === undefined ? byDigest : atTag(to, to.tag);
    return registry.putManifest(target, { mediaType, bytes: stored.bytes }, call);
  }

  async function copyContent({ stored, from, to, call }: Part): Promise<void> {
    const manifest = parseManifest(stored.bytes, formatReference(from));
    if (isIndex(stored.descriptor.mediaType)) {
      const children = manifest.manifests ?? [];
      const place = { registry: to.registry, repository: to.repository };
      await Promise.all(children.map(({ digest }) => copy(atDigest(from, digest), place, call)));
      return;
    }
    const parts = [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])];
    const own = new Map(parts.filter(isDistributable).map((blob) => [blob.digest, blob]));
    await Promise.all([...own.values()].map((blob) => limit(() => blobs.transfer(from, to, blob, call))));
  }

  return copy;
}

interface Part {
  readonly stored: StoredManifest;
  readonly from: Reference;
  readonly to: Reference;
  readonly call: Call;
}

/** Layers that may not be passed on are fetched from where their maker keeps them (image-spec v1.1 layer.md). */
function isDistributable({ mediaType }: Descriptor): boolean {
  return !/nondistributable|\.foreign\./.test(mediaType);
}

function missing(reference: Reference): RegistryError {
  return new RegistryError(`${formatReference(reference)} is not there to be copied; push the whole image again`, {
    code: 'missing-content',
  });
}
