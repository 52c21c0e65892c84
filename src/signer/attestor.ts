import type { KeyObject } from 'node:crypto';
import type { Reference } from '../domain/reference.ts';
import { type Call, type Registry, RegistryError } from '../registry/registry.ts';
import { SIGNATURE, signBundle, statementPayload } from './bundle.ts';
import { pushBundle, readBundles, type Subject } from './bundle-referrers.ts';
import { readPublicKey } from './key.ts';
import { appendSignature, readSignatures } from './legacy-signatures.ts';
import { createQueue } from './queue.ts';
import { type AttestOptions, type Attestor, type Signer, SignerError, type Statement } from './signer.ts';
import { signatureLayer, simpleSigningPayload } from './simple-signing.ts';
import { summarise } from './verification.ts';

export interface AttestorDeps {
  readonly registry: Registry;
  /** Absent: verifies only. */
  readonly signer?: Signer | undefined;
  /** PEM, SPKI: what `verify` uses when the call names no key. Default: the signer's. */
  readonly publicKey?: string | undefined;
}

/** Publishes and reads signatures with nothing but the registry: no transparency log, no trust root. */
export function createAttestor({ registry, signer, publicKey }: AttestorDeps): Attestor {
  const own = (): { signer: Signer; key: KeyObject } => {
    if (signer === undefined) throw noKey('there is no signing key; set signing.key in ingot.yaml');
    return { signer, key: readPublicKey(signer.publicKey) };
  };
  // Registries know no compare-and-swap: within this process one write at a time for each image.
  const oneAtATime = createQueue();
  return {
    sign: (reference, options) => {
      const subject = requireDigest(reference);
      return oneAtATime(nameOf(subject), async () => {
        const { signer, key } = own();
        await publishBundle({ registry, signer, key }, subject, SIGNATURE, options);
        await publishLegacy({ registry, signer, key }, subject, options);
      });
    },
    attest: (reference, statement, options) => {
      const subject = requireDigest(reference);
      return oneAtATime(nameOf(subject), () => publishBundle({ registry, ...own() }, subject, statement, options));
    },
    async verify(reference, options = {}) {
      const subject = requireDigest(reference);
      const pem = options.publicKey ?? publicKey ?? signer?.publicKey;
      if (pem === undefined) throw noKey('there is no public key to verify with; give one with --key');
      const key = readPublicKey(pem);
      await requirePresent(registry, subject, options);
      const bundles = await readBundles(registry, subject, key, { signal: options.signal });
      const signatures = await readSignatures(registry, subject, key, { signal: options.signal });
      return summarise(subject.digest, bundles, signatures);
    },
  };
}

interface Hand {
  readonly registry: Registry;
  readonly signer: Signer;
  readonly key: KeyObject;
}

/** ECDSA signatures differ each time: without looking first, every retry would leave one more referrer. */
async function publishBundle(
  hand: Hand,
  subject: Subject,
  statement: Statement,
  options: AttestOptions,
): Promise<void> {
  const { registry, signer, key } = hand;
  const { predicateType } = statement;
  const payload = statementPayload(subject.digest, statement);
  const there = await readBundles(registry, subject, key, { predicateType, signal: options.signal });
  if (there.some((bundle) => bundle.state === 'valid' && bundle.payload.equals(payload))) return;
  const bundle = await attempt(() => signBundle(payload, signer));
  await pushBundle(registry, subject, bundle, { ...options, predicateType });
}

async function publishLegacy(
  { registry, signer, key }: Hand,
  subject: Subject,
  { signal }: AttestOptions,
): Promise<void> {
  const there = await readSignatures(registry, subject, key, { signal });
  if (there.some(({ problem }) => problem === undefined)) return;
  const payload = simpleSigningPayload(subject, subject.digest);
  const signature = await attempt(() => signer.sign(payload));
  const blob = await registry.putBlob(subject, payload, { signal });
  await appendSignature(registry, subject, signatureLayer(blob, signature), { signal });
}

/** What a signer throws is not repeated, not even as a cause: it may quote the key. */
async function attempt<T>(sign: () => Promise<T>): Promise<T> {
  try {
    return await sign();
  } catch (error) {
    if (error instanceof SignerError) throw error;
    throw new SignerError('the signer gave no signature', { code: 'signing-failed', retryable: true });
  }
}

function requireDigest(reference: Reference): Subject {
  const { digest } = reference;
  if (digest !== undefined) return { registry: reference.registry, repository: reference.repository, digest };
  throw new SignerError(`${reference.repository} is named without digest: signatures are about digests`, {
    code: 'usage',
  });
}

function nameOf({ registry, repository, digest }: Subject): string {
  return `${registry}/${repository}@${digest}`;
}

async function requirePresent(registry: Registry, subject: Subject, { signal }: Call): Promise<void> {
  if ((await registry.head(subject, { signal })) !== undefined) return;
  throw new RegistryError(`${nameOf(subject)} is not in the registry`, { code: 'missing-content' });
}

function noKey(message: string): SignerError {
  return new SignerError(message, { code: 'no-key' });
}
