import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKeySigner, generateKeyPair, keyHint, readPublicKey } from '../../src/signer/key.ts';
import { SignerError } from '../../src/signer/signer.ts';

const data = Buffer.from('what is signed');

describe('key signer', () => {
  it('signs so that the public key verifies', async () => {
    const { privateKey, publicKey } = generateKeyPair();

    const signer = createKeySigner(privateKey);

    const signature = await signer.sign(data);
    expect(signer.publicKey).toBe(publicKey);
    expect(verify('sha256', data, publicKey, signature)).toBe(true);
  });

  it('reads the SEC 1 form that openssl writes', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

    const signer = createKeySigner(privateKey.export({ type: 'sec1', format: 'pem' }).toString());

    expect(signer.publicKey).toBe(publicKey.export({ type: 'spki', format: 'pem' }));
  });

  it('reads a key from one line with \\n spelled out, as CI systems keep it', () => {
    const { privateKey, publicKey } = generateKeyPair();

    const signer = createKeySigner(privateKey.replaceAll('\n', '\\n'));

    expect(signer.publicKey).toBe(publicKey);
  });

  it('hints at a key as cosign does', () => {
    const pem = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt
6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
-----END PUBLIC KEY-----
`;

    // openssl pkey -pubin -outform DER < key | openssl dgst -sha256 -binary | base64
    expect(keyHint(createPublicKey(pem))).toBe('XNJS+wzokyQ2+vjM0QQJgbie5K1rn+niorfnGqyyfNM=');
  });

  const mistakes = [
    ['no PEM', 'c2VjcmV0LXNlY3JldA==', /no PEM private key.*ingot keys create/],
    ['an RSA key', rsaKey(), /of type rsa/],
    ['a P-384 key', ecKey('P-384'), /of type secp384r1/],
    ['an encrypted key', encryptedKey(), /openssl pkcs8/],
    ["cosign's own form", pem('ENCRYPTED SIGSTORE PRIVATE KEY'), /cosign import-key-pair/],
    ['a public key', generateKeyPair().publicKey, /is a public key/],
    ['a broken key', pem('PRIVATE KEY'), /no PEM private key/],
  ] as const;

  it.each(mistakes)('refuses %s with a remedy, never showing the key', (_, text, message) => {
    const error = thrownBy(() => createKeySigner(text));

    expect(error).toBeInstanceOf(SignerError);
    expect(error.code).toBe('bad-key');
    expect(error.message).toMatch(message);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('---'));
    for (const line of lines) expect(`${error.stack} ${String(error.cause)}`).not.toContain(line);
  });

  it('refuses a private key where a public one is meant', () => {
    const { privateKey } = generateKeyPair();

    expect(() => readPublicKey(privateKey)).toThrow(/give the .pub file/);
  });
});

function pem(label: string): string {
  return `-----BEGIN ${label}-----\nc2VjcmV0LXNlY3JldC1zZWNyZXQ=\n-----END ${label}-----\n`;
}

function ecKey(namedCurve: string): string {
  return generateKeyPairSync('ec', { namedCurve }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function encryptedKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
}

function rsaKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function thrownBy(act: () => unknown): SignerError {
  try {
    act();
  } catch (error) {
    return error as SignerError;
  }
  throw new Error('nothing was thrown');
}
