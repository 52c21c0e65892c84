import { type Digest, hexOf } from '../domain/digest.ts';
import { type CommonCode, FactoryError } from '../domain/errors.ts';
import type { Reference } from '../domain/reference.ts';

export type SignerErrorCode = CommonCode | 'no-key' | 'bad-key' | 'signing-failed';

export class SignerError extends FactoryError<SignerErrorCode> {}

/** Media types of sigstore bundles begin so (cosign v3.1.2 specs/BUNDLE_SPEC.md). */
export const BUNDLE_PREFIX = 'application/vnd.dev.sigstore.bundle';

/** Annotation of a bundle's referrer that says which statement it holds. */
export const BUNDLE_PREDICATE = 'dev.sigstore.bundle.predicateType';

/** Predicate of the statement that is a signature and nothing more. */
export const SIGNATURE_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/** The tag beside a digest that holds all its legacy signatures (cosign v3.1.2 specs/SIGNATURE_SPEC.md). */
export function signatureTag(digest: Digest): string {
  return `sha256-${hexOf(digest)}.sig`;
}

/** Makes signatures. Only released digests are ever signed. */
export interface Signer {
  /** PEM, SPKI. */
  readonly publicKey: string;
  /** Raw signature (DER for ECDSA) over the bytes. */
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** An in-toto Statement v1 about one image, to be published as a signed bundle. */
export interface Statement {
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** Publishes signatures and attestations, and reads them back as a consumer would. */
export interface Attestor {
  /** Both formats: sigstore bundle as referrer, legacy `.sig`. Does nothing for a format that is validly there. `subject` by digest. */
  sign(subject: Reference, options: AttestOptions): Promise<void>;
  /** One bundle referrer; does nothing when a valid one that says exactly this is there. */
  attest(subject: Reference, statement: Statement, options: AttestOptions): Promise<void>;
  /**
   * Reads back what is published for a digest, with `publicKey` (PEM) or the attestor's own. Never throws for a bad
   * signature: says so.
   * @throws SignerError `no-key`, `bad-key`; RegistryError `missing-content` when the image itself is not there
   */
  verify(subject: Reference, options?: { publicKey?: string; signal?: AbortSignal | undefined }): Promise<Verification>;
}

export interface AttestOptions {
  /** RFC 3339: the time of the statement, not of the push. */
  readonly createdAt: string;
  readonly signal?: AbortSignal | undefined;
}

/** What a consumer with the public key sees for one digest. */
export interface Verification {
  readonly digest: Digest;
  readonly bundle: SignatureState;
  readonly legacy: SignatureState;
  /** Predicate types of valid attestations, sorted, the signature's own left out. */
  readonly attestations: readonly string[];
  /** What was found and did not verify, in words. */
  readonly problems: readonly string[];
}

/** `invalid`: something is published, and none of it verifies with the key. */
export type SignatureState = 'valid' | 'missing' | 'invalid';
