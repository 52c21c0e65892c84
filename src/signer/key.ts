import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Signer, SignerError } from './signer.ts';

const REMEDY = 'make a key pair with "ingot keys create"';

/** A new ECDSA P-256 key pair: the one kind that cosign, podman, Kyverno and policy-controller all read. */
export function generateKeyPair(): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

/**
 * Signs with a private key that we hold.
 * @param pem unencrypted ECDSA P-256 key, PKCS#8 (`PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`)
 * @throws SignerError `bad-key`, which says what to do and never shows the key
 */
export function createKeySigner(pem: string): Signer {
  const key = readPrivateKey(pem);
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  return { publicKey, sign: async (data) => sign('sha256', data, key) };
}

function readPrivateKey(pem: string): KeyObject {
  refuseEncrypted(pem);
  let key: KeyObject;
  try {
    key = createPrivateKey(unescapeLines(pem));
  } catch {
    // The cause stays out: parsers quote their input.
    throw badKey(`the signing key is no PEM private key; ${REMEDY}`);
  }
  return requireP256(key, 'the signing key');
}

function refuseEncrypted(pem: string): void {
  if (/ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY/.test(pem)) {
    throw badKey(
      `the signing key is encrypted in cosign's own form, which ingot does not read; give the unencrypted key that it was imported from, or ${REMEDY} (cosign reads it after "cosign import-key-pair")`,
    );
  }
  if (/ENCRYPTED/.test(pem)) {
    throw badKey(
      'the signing key is encrypted; decrypt it with "openssl pkcs8 -in KEY -out PLAIN" and keep it in a secret store',
    );
  }
  if (/BEGIN PUBLIC KEY/.test(pem)) throw badKey('the signing key is a public key; give the private one');
}

/**
 * Reads the public key that consumers have.
 * @param pem ECDSA P-256, SPKI (`PUBLIC KEY`)
 * @throws SignerError `bad-key`
 */
export function readPublicKey(pem: string): KeyObject {
  if (/PRIVATE KEY/.test(pem)) throw badKey('the public key is a private key; give the .pub file');
  let key: KeyObject;
  try {
    key = createPublicKey(unescapeLines(pem));
  } catch {
    throw badKey('the public key is no PEM public key; give the .pub file that "ingot keys create" wrote');
  }
  return requireP256(key, 'the public key');
}

/** As cosign writes it into bundles: base64(sha256(SPKI DER)) (cosign v3 internal/key/svkeypair.go). */
export function keyHint(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}

/** An environment variable of a CI system often holds the whole file in one line, with `\n` spelled out. */
function unescapeLines(pem: string): string {
  return pem.includes('\n') ? pem : pem.replaceAll('\\n', '\n');
}

function requireP256(key: KeyObject, what: string): KeyObject {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return key;
  throw badKey(`${what} is of type ${curve ?? key.asymmetricKeyType}, ingot uses ECDSA P-256; ${REMEDY}`);
}

function badKey(message: string): SignerError {
  return new SignerError(message, { code: 'bad-key' });
}
