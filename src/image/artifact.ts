import { digestOf } from '../domain/digest.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import { type Call, type Descriptor, type Manifest, MEDIA_TYPES, type Registry } from '../registry/registry.ts';

export interface ArtifactLayer {
  readonly mediaType: string;
  readonly content: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}
export interface Artifact {
  readonly artifactType: string;
  readonly layers: readonly ArtifactLayer[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
}
/** Puts a small artifact (OCI image-spec v1.1, artifact guidance): empty config, one layer a document. */
export async function putArtifact(
  registry: Registry,
  reference: Reference,
  artifact: Artifact,
  call: Call = {},
): Promise<Descriptor> {
  const config = { ...(await registry.putBlob(reference, Buffer.from('{}'), call)), mediaType: MEDIA_TYPES.empty };
  const layers: Descriptor[] = [];
  for (const { mediaType, content, annotations } of artifact.layers) {
    layers.push({
      ...(await registry.putBlob(reference, content, call)),
      mediaType,
      ...(annotations && { annotations }),
    });
  }
  const { artifactType, annotations, subject } = artifact;
  const plain = subject && { mediaType: subject.mediaType, digest: subject.digest, size: subject.size };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    artifactType,
    config,
    layers,
    ...(plain && { subject: plain }),
    ...(annotations && { annotations }),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const target = reference.tag === undefined ? atDigest(reference, digestOf(bytes)) : reference;
  return registry.putManifest(target, { mediaType: MEDIA_TYPES.manifest, bytes }, call);
}
export async function getArtifact(
  registry: Registry,
  reference: Reference,
  call: Call = {},
): Promise<{ manifest: Manifest; layers: readonly ArtifactLayer[] } | undefined> {
  const stored = await registry.manifest(reference, call);
  if (stored === undefined) return undefined;
  const manifest = JSON.parse(Buffer.from(stored.bytes).toString('utf8')) as Manifest;
  const layers = await Promise.all(
    (manifest.layers ?? []).map(async (layer) => ({
      mediaType: layer.mediaType,
      content: await registry.blob(reference, layer, call),
    })),
  );
  return { manifest, layers };
}
