import type { KeyObject } from 'node:crypto';
import { type Digest, digestOf } from '../domain/digest.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import { type Call, type Descriptor, MEDIA_TYPES, type Registry, RegistryError } from '../registry/registry.ts';
import { BUNDLE_MEDIA_TYPE, type BundleReading, bundleManifest, readBundle } from './bundle.ts';
import { parseManifest } from './manifest.ts';
import { BUNDLE_PREDICATE, BUNDLE_PREFIX } from './signer.ts';

export type Subject = Reference & { readonly digest: Digest };

export type FoundBundle = BundleReading & { readonly referrer: Digest };

/** More than any image of ours has; who can push could otherwise make every reader download for hours. */
const MOST_REFERRERS = 200;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Reads the bundles that are attached to an image.
 * @param predicateType leaves out, unread, those that announce another one
 */
export async function readBundles(
  registry: Registry,
  subject: Subject,
  publicKey: KeyObject,
  options: Call & { readonly predicateType?: string },
): Promise<readonly FoundBundle[]> {
  const referrers = await registry.referrers(subject, { signal: options.signal });
  const candidates = referrers.filter(mayBeBundle).filter((each) => mayHave(each, options.predicateType));
  const found: FoundBundle[] = [];
  for (const { digest } of candidates.slice(0, MOST_REFERRERS)) {
    const reading = await readReferrer(registry, subject, digest, publicKey, options);
    if (reading !== undefined) found.push({ ...reading, referrer: digest });
  }
  const unread = candidates[MOST_REFERRERS];
  if (unread === undefined) return found;
  const problem = `was not read, nor any after it: more than ${MOST_REFERRERS} are attached`;
  return [...found, { state: 'invalid', problem, referrer: unread.digest }];
}

/** Fallback indexes written by cosign 3 name the config's type where the manifest's belongs. */
function mayBeBundle({ artifactType }: Descriptor): boolean {
  return artifactType === undefined || artifactType === MEDIA_TYPES.empty || artifactType.startsWith(BUNDLE_PREFIX);
}

function mayHave({ annotations }: Descriptor, wanted: string | undefined): boolean {
  const announced = annotations?.[BUNDLE_PREDICATE];
  return wanted === undefined || announced === undefined || announced === wanted;
}

/** `undefined` for a referrer that is no bundle at all: exactly one layer of the bundle's type is what cosign takes. */
async function readReferrer(
  registry: Registry,
  subject: Subject,
  digest: Digest,
  publicKey: KeyObject,
  { signal }: Call,
): Promise<BundleReading | undefined> {
  const manifest = await unlessDamaged(() => registry.manifest(atDigest(subject, digest), { signal }));
  if (manifest === undefined || manifest === 'damaged') return { state: 'invalid', problem: 'is not in the registry' };
  const parsed = parseManifest(manifest.bytes);
  const [layer, ...rest] = parsed?.layers ?? [];
  if (layer === undefined || rest.length > 0 || !layer.mediaType.startsWith(BUNDLE_PREFIX)) return undefined;
  if (parsed?.subject?.digest !== subject.digest) return { state: 'invalid', problem: 'is attached to another image' };
  const bytes = await unlessDamaged(() => registry.blob(subject, layer, { signal, limit: MOST_BYTES }));
  return bytes === 'damaged'
    ? { state: 'invalid', problem: 'has no readable content' }
    : readBundle(bytes, subject.digest, publicKey);
}

/** Content that is gone or altered is a finding about the image; a registry that cannot be asked is an error. */
export async function unlessDamaged<T>(read: () => Promise<T>): Promise<T | 'damaged'> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RegistryError && ['missing-content', 'digest-mismatch'].includes(error.code)) return 'damaged';
    throw error;
  }
}

/** Attaches one signed bundle. The registry keeps the fallback index where it has no referrers API. */
export async function pushBundle(
  registry: Registry,
  subject: Subject,
  bundle: Buffer,
  about: Call & { readonly predicateType: string; readonly createdAt: string },
): Promise<void> {
  const { signal } = about;
  const target = await registry.head(subject, { signal });
  if (target === undefined) {
    throw new RegistryError(`${subject.repository}@${subject.digest} is not in the registry: push it before signing`, {
      code: 'missing-content',
    });
  }
  const [config, layer] = await Promise.all([
    registry.putBlob(subject, Buffer.from('{}'), { signal, mediaType: MEDIA_TYPES.empty }),
    registry.putBlob(subject, bundle, { signal, mediaType: BUNDLE_MEDIA_TYPE }),
  ]);
  const bytes = bundleManifest(target, { config, bundle: layer }, about);
  await registry.putManifest(
    atDigest(subject, digestOf(bytes)),
    { mediaType: MEDIA_TYPES.manifest, bytes },
    { signal },
  );
}
