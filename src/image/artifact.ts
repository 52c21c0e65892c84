import type { z } from 'zod';
import { digestOf } from '../domain/digest.ts';
import { atDigest, formatReference, type Reference } from '../domain/reference.ts';
import { parseManifest } from '../registry/manifest.ts';
import { type Call, type Descriptor, type Manifest, MEDIA_TYPES, type Registry } from '../registry/registry.ts';

export interface ArtifactLayer {
  readonly mediaType: string;
  readonly content: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export interface Artifact {
  readonly artifactType: string;
  readonly layers: readonly ArtifactLayer[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** What it is about: makes it a referrer of that. */
  readonly subject?: Descriptor | undefined;
}

export interface StoredArtifact {
  readonly manifest: Manifest;
  readonly layers: readonly ArtifactLayer[];
}

/** Larger than any SBOM that we met, small enough for memory. */
const LAYER_LIMIT = 256 * 1024 * 1024;

/**
 * Stores documents (OCI image-spec v1.1, Guidelines for Artifact Usage): empty config, one layer a document.
 * @param reference without a tag it is stored by digest alone
 */
export async function putArtifact(
  registry: Registry,
  reference: Reference,
  artifact: Artifact,
  call: Call = {},
): Promise<Descriptor> {
  const { artifactType, annotations, subject } = artifact;
  const config = await registry.putBlob(reference, Buffer.from('{}'), { ...call, mediaType: MEDIA_TYPES.empty });
  const layers: Descriptor[] = [];
  for (const layer of artifact.layers) {
    const stored = await registry.putBlob(reference, layer.content, { ...call, mediaType: layer.mediaType });
    layers.push({ ...stored, ...(layer.annotations && { annotations: layer.annotations }) });
  }
  const manifest = {
    ...{ schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, artifactType, config },
    // At least one layer, for registries that refuse none (image-spec v1.1)
    layers: layers.length > 0 ? layers : [config],
    ...(subject && { subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size } }),
    ...(annotations && { annotations }),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const target = reference.tag === undefined ? atDigest(reference, digestOf(bytes)) : reference;
  return registry.putManifest(target, { mediaType: MEDIA_TYPES.manifest, bytes }, call);
}

/**
 * A small document in an annotation, which registries list with the referrers. One that is not understood was written
 * by a newer ingot or by somebody else: `undefined`.
 */
export function annotated<T>(
  annotations: Readonly<Record<string, string>> | undefined,
  key: string,
  schema: z.ZodType<T>,
): T | undefined {
  try {
    return schema.safeParse(JSON.parse(annotations?.[key] ?? 'null')).data;
  } catch {
    return undefined;
  }
}

/** An artifact with its documents; `undefined` when it is absent. */
export async function getArtifact(
  registry: Registry,
  reference: Reference,
  call: Call = {},
): Promise<StoredArtifact | undefined> {
  const stored = await registry.manifest(reference, call);
  if (stored === undefined) return undefined;
  const manifest = parseManifest(stored.bytes, formatReference(reference));
  const documents = (manifest.layers ?? []).filter(({ mediaType }) => mediaType !== MEDIA_TYPES.empty);
  const layers: ArtifactLayer[] = [];
  for (const layer of documents) {
    const content = await registry.blob(reference, layer, { ...call, limit: LAYER_LIMIT });
    const { mediaType, annotations } = layer;
    layers.push({ mediaType, content, ...(annotations && { annotations }) });
  }
  return { manifest, layers };
}
