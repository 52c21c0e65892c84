import type { KeyObject } from 'node:crypto';
import { atTag } from '../domain/reference.ts';
import { type Call, type Descriptor, MEDIA_TYPES, type Registry } from '../registry/registry.ts';
import { type Subject, unlessDamaged } from './bundle-referrers.ts';
import { parseManifest, type SignatureManifest } from './manifest.ts';
import { SignerError, signatureTag } from './signer.ts';
import {
  SIMPLE_SIGNING_MEDIA_TYPE,
  signatureConfig,
  signatureManifest,
  simpleSigningProblem,
} from './simple-signing.ts';

/** One layer of a `.sig` manifest; no `problem` means that it verifies. */
export interface FoundSignature {
  readonly layer: Descriptor;
  readonly problem?: string | undefined;
}

const MOST_LAYERS = 50;
/** A payload is some 300 bytes; containers/image takes no more than this either. */
const MOST_PAYLOAD_BYTES = 4 * 1024 * 1024;
const MOST_ATTEMPTS = 5;

/** Reads the `.sig` tag of a digest; empty when there is none. */
export async function readSignatures(
  registry: Registry,
  subject: Subject,
  publicKey: KeyObject,
  call: Call,
): Promise<readonly FoundSignature[]> {
  const manifest = await readManifest(registry, subject, call);
  if (manifest === undefined) return [];
  if (manifest === 'unreadable') return [{ layer: unreadable(subject), problem: 'is no image manifest' }];
  const found: FoundSignature[] = [];
  for (const layer of manifest.layers.filter(isSignature).slice(0, MOST_LAYERS)) {
    const payload = await unlessDamaged(() => registry.blob(subject, layer, { ...call, limit: MOST_PAYLOAD_BYTES }));
    const problem =
      payload === 'damaged' ? 'has no readable content' : simpleSigningProblem(layer, payload, subject, publicKey);
    found.push({ layer, problem });
  }
  return found;
}

function isSignature(layer: Descriptor): boolean {
  return layer.mediaType === SIMPLE_SIGNING_MEDIA_TYPE;
}

function unreadable(subject: Subject): Descriptor {
  return { mediaType: SIMPLE_SIGNING_MEDIA_TYPE, digest: subject.digest, size: 0 };
}

async function readManifest(
  registry: Registry,
  subject: Subject,
  call: Call,
): Promise<SignatureManifest | 'unreadable' | undefined> {
  const tag = atTag(subject, signatureTag(subject.digest));
  const stored = await unlessDamaged(() => registry.manifest(tag, call));
  if (stored === undefined) return undefined;
  return stored === 'damaged' ? 'unreadable' : (parseManifest(stored.bytes) ?? 'unreadable');
}

/**
 * Adds a layer beside those that are there. Registries know no compare-and-swap, so another signer's write may
 * replace ours: read again, and append again when the layer is gone.
 */
export async function appendSignature(
  registry: Registry,
  subject: Subject,
  layer: Descriptor,
  call: Call,
): Promise<void> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const before = await readManifest(registry, subject, call);
    if (before === 'unreadable') throw occupied(subject);
    if (before?.layers.some((each) => sameSignature(each, layer))) return;
    await writeManifest(registry, subject, [...(before?.layers ?? []), layer], before, call);
  }
  const after = await readManifest(registry, subject, call);
  if (after !== 'unreadable' && after?.layers.some((each) => sameSignature(each, layer))) return;
  throw new SignerError(
    `other signers keep replacing ${subject.repository}:${signatureTag(subject.digest)}; try later`,
    {
      code: 'signing-failed',
      retryable: true,
    },
  );
}

function sameSignature(a: Descriptor, b: Descriptor): boolean {
  return a.digest === b.digest && JSON.stringify(a.annotations) === JSON.stringify(b.annotations);
}

async function writeManifest(
  registry: Registry,
  subject: Subject,
  layers: readonly Descriptor[],
  before: SignatureManifest | undefined,
  call: Call,
): Promise<void> {
  const content = signatureConfig(layers);
  const config = await registry.putBlob(subject, content, { ...call, mediaType: MEDIA_TYPES.config });
  const manifest = { mediaType: MEDIA_TYPES.manifest, bytes: signatureManifest(config, layers, before) };
  await registry.putManifest(atTag(subject, signatureTag(subject.digest)), manifest, call);
}

function occupied(subject: Subject): SignerError {
  const name = `${subject.repository}:${signatureTag(subject.digest)}`;
  return new SignerError(`${name} holds something that is no signature; look at it and remove the tag`, {
    code: 'signing-failed',
  });
}
