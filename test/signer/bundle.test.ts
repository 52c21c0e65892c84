import { createPublicKey, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { bundleManifest, readBundle, SIGNATURE, signBundle, statementPayload } from '../../src/signer/bundle.ts';
import { createKeySigner, generateKeyPair, keyHint } from '../../src/signer/key.ts';

const image = digestOf('an image');
const pair = generateKeyPair();
const signer = createKeySigner(pair.privateKey);
const key = createPublicKey(pair.publicKey);

describe('statement', () => {
  it('names the image by digest alone', () => {
    const payload = statementPayload(image, SIGNATURE).toString();

    expect(payload).toBe(
      `{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"https://sigstore.dev/cosign/sign/v1","subject":[{"digest":{"sha256":"${image.slice(7)}"}}]}`,
    );
  });

  it('is the same bytes whatever the order of its keys', () => {
    const one = statementPayload(image, { predicateType: 'x', predicate: { a: 1, b: { c: 2, d: 3 } } });
    const other = statementPayload(image, { predicateType: 'x', predicate: { b: { d: 3, c: 2 }, a: 1 } });

    expect(one.equals(other)).toBe(true);
  });
});

describe('bundle', () => {
  it('is v0.3, with a hint, no keyid and no transparency log', async () => {
    const bundle = JSON.parse((await signBundle(statementPayload(image, SIGNATURE), signer)).toString());

    expect(bundle).toEqual({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: keyHint(key) }, timestampVerificationData: {} },
      dsseEnvelope: {
        payload: statementPayload(image, SIGNATURE).toString('base64'),
        payloadType: 'application/vnd.in-toto+json',
        signatures: [{ sig: expect.any(String) }],
      },
    });
  });

  it('is read back with the public key', async () => {
    const payload = statementPayload(image, SIGNATURE);
    const bytes = await signBundle(payload, signer);

    expect(readBundle(bytes, image, key)).toEqual({ state: 'valid', predicateType: SIGNATURE.predicateType, payload });
  });

  it('does not count for another image', async () => {
    const bytes = await signBundle(statementPayload(digestOf('another'), SIGNATURE), signer);

    expect(readBundle(bytes, image, key)).toEqual({ state: 'invalid', problem: 'is about another image' });
  });

  it('by somebody else is foreign, not a fault', async () => {
    const other = createPublicKey(generateKeyPair().publicKey);
    const bytes = await signBundle(statementPayload(image, SIGNATURE), signer);

    expect(readBundle(bytes, image, other).state).toBe('foreign');
  });

  it.each<[string, (bundle: EditableBundle) => void, RegExp]>([
    [
      'a changed statement',
      (bundle) => setPayload(bundle, SIGNATURE.predicateType, 'https://evil.example/v1'),
      /does not fit/,
    ],
    ['a changed signature', (bundle) => setSignature(bundle, 'AAAA'), /does not fit/],
    ['a keyid, which cosign refuses', (bundle) => setKeyid(bundle, 'any'), /keyid/],
    ['a message signature', toMessageSignature, /no DSSE|no sigstore bundle/],
  ])('with %s is invalid', async (_, edit, problem) => {
    const bundle = JSON.parse((await signBundle(statementPayload(image, SIGNATURE), signer)).toString());

    edit(bundle);

    expect(read(bundle, key)).toEqual({ state: 'invalid', problem: expect.stringMatching(problem) });
  });

  it.each(['', 'null', '[]', '{', '{"mediaType":"x"}', '{"mediaType":{}}'])(
    'of %j is invalid, and does not throw',
    (text) => {
      expect(readBundle(Buffer.from(text), image, key).state).toBe('invalid');
    },
  );

  it('signed over something that is no statement is invalid', async () => {
    const bytes = await signBundle(Buffer.from('{"subject":7}'), signer);

    expect(readBundle(bytes, image, key)).toEqual({ state: 'invalid', problem: 'holds no in-toto statement' });
  });
});

describe('bundle referrer', () => {
  it('is decided by what it carries: the same time gives the same bytes', () => {
    const blob = (content: string) => ({ mediaType: 'x', digest: digestOf(content), size: content.length });
    const subject = { mediaType: 'application/vnd.oci.image.index.v1+json', digest: image, size: 7 };
    const about = { predicateType: SIGNATURE.predicateType, createdAt: '2026-01-02T03:04:05Z' };

    const manifest = bundleManifest(subject, { config: blob('{}'), bundle: blob('bundle') }, about);

    expect(JSON.parse(manifest.toString())).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
        size: 2,
      },
      layers: [{ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', digest: digestOf('bundle'), size: 6 }],
      subject,
      annotations: {
        'org.opencontainers.image.created': '2026-01-02T03:04:05Z',
        'dev.sigstore.bundle.content': 'dsse-envelope',
        'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1',
      },
    });
  });
});

interface EditableBundle {
  dsseEnvelope?: { payload: string; signatures: { sig: string; keyid?: string }[] };
  messageSignature?: unknown;
}

function setPayload(bundle: EditableBundle, from: string, to: string): void {
  const envelope = bundle.dsseEnvelope!;
  const text = Buffer.from(envelope.payload, 'base64').toString().replace(from, to);
  envelope.payload = Buffer.from(text).toString('base64');
}

function setSignature(bundle: EditableBundle, sig: string): void {
  bundle.dsseEnvelope!.signatures[0]!.sig = sig;
}

function setKeyid(bundle: EditableBundle, keyid: string): void {
  bundle.dsseEnvelope!.signatures[0]!.keyid = keyid;
}

function toMessageSignature(bundle: EditableBundle): void {
  delete bundle.dsseEnvelope;
  bundle.messageSignature = { messageDigest: { algorithm: 'SHA2_256', digest: 'AAAA' }, signature: 'AAAA' };
}

function read(bundle: unknown, publicKey: KeyObject) {
  return readBundle(Buffer.from(JSON.stringify(bundle)), image, publicKey);
}
