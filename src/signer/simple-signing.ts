import { type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import type { Digest } from '../domain/digest.ts';
import { parseReference, type Reference, repositoryOf } from '../domain/reference.ts';
import { type Descriptor, type Manifest, MEDIA_TYPES } from '../registry/registry.ts';

/** cosign v3.1.2 specs/SIGNATURE_SPEC.md; the form that podman, skopeo and older cosign read. */
export const SIMPLE_SIGNING_MEDIA_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';

/** The bytes that are signed. The repository stands without tag: the signature is for whatever tag points here. */
export function simpleSigningPayload(repository: Reference, digest: Digest): Buffer {
  const critical = {
    identity: { 'docker-reference': repositoryOf(repository) },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
  };
  return Buffer.from(JSON.stringify({ critical, optional: null }));
}

/** One signature: the payload's blob, with the signature over it as an annotation. */
export function signatureLayer(payload: Pick<Descriptor, 'digest' | 'size'>, signature: Uint8Array): Descriptor {
  return {
    mediaType: SIMPLE_SIGNING_MEDIA_TYPE,
    digest: payload.digest,
    size: payload.size,
    annotations: { [SIGNATURE_ANNOTATION]: Buffer.from(signature).toString('base64') },
  };
}

/** The image config of a `.sig` manifest, as containers/image writes it: nothing but the payloads' digests. */
export function signatureConfig(layers: readonly Descriptor[]): Buffer {
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) };
  return Buffer.from(JSON.stringify({ architecture: '', os: '', config: {}, rootfs }));
}

/** The `.sig` manifest. What others wrote into an existing one stays. */
export function signatureManifest(
  config: Pick<Descriptor, 'digest' | 'size'>,
  layers: readonly Descriptor[],
  before?: Pick<Manifest, 'annotations'>,
): Buffer {
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: { mediaType: MEDIA_TYPES.config, digest: config.digest, size: config.size },
    layers,
    ...(before?.annotations === undefined ? {} : { annotations: before.annotations }),
  };
  return Buffer.from(JSON.stringify(manifest));
}

const PayloadSchema = z.object({
  critical: z.object({
    identity: z.object({ 'docker-reference': z.string() }),
    image: z.object({ 'docker-manifest-digest': z.string() }),
    type: z.string(),
  }),
});

/**
 * Checks one layer as containers/image does: signature, then digest, then repository.
 * @returns what is wrong, in words; `undefined` when the signature holds
 */
export function simpleSigningProblem(
  layer: Descriptor,
  payload: Uint8Array,
  subject: Reference & { readonly digest: Digest },
  publicKey: KeyObject,
): string | undefined {
  const signature = layer.annotations?.[SIGNATURE_ANNOTATION];
  if (signature === undefined) return 'has no signature';
  if (!verify('sha256', payload, publicKey, Buffer.from(signature, 'base64'))) {
    return 'was made with another key, or its content was changed';
  }
  const critical = parsePayload(payload)?.critical;
  if (critical === undefined) return 'holds no simple-signing payload';
  if (critical.image['docker-manifest-digest'] !== subject.digest) return 'is about another image';
  const named = critical.identity['docker-reference'];
  return sameRepository(named, subject) ? undefined : `is for the repository ${named.slice(0, 256)}`;
}

function parsePayload(payload: Uint8Array): z.infer<typeof PayloadSchema> | undefined {
  try {
    return PayloadSchema.safeParse(JSON.parse(Buffer.from(payload).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** cosign writes `index.docker.io/library/x` where we write `docker.io/library/x`. */
function sameRepository(text: string, subject: Reference): boolean {
  try {
    return repositoryOf(parseReference(text)) === repositoryOf(subject);
  } catch {
    return false;
  }
}
