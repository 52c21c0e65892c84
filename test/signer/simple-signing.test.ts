import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { createKeySigner, generateKeyPair } from '../../src/signer/key.ts';
import { signatureTag } from '../../src/signer/signer.ts';
import {
  signatureConfig,
  signatureLayer,
  signatureManifest,
  simpleSigningPayload,
  simpleSigningProblem,
} from '../../src/signer/simple-signing.ts';

const image = digestOf('an image');
const subject = { ...parseReference('ghcr.io/acme/golden/debian'), digest: image };
const pair = generateKeyPair();
const signer = createKeySigner(pair.privateKey);
const key = createPublicKey(pair.publicKey);

describe('simple signing', () => {
  it('writes the payload that cosign and containers/image read', () => {
    expect(simpleSigningPayload(parseReference('ghcr.io/acme/golden/debian:12'), image).toString()).toBe(
      `{"critical":{"identity":{"docker-reference":"ghcr.io/acme/golden/debian"},"image":{"docker-manifest-digest":"${image}"},"type":"cosign container image signature"},"optional":null}`,
    );
  });

  it('keeps the layers and annotations of others in the manifest', () => {
    const theirs = { ...layerOf(Buffer.from('theirs'), Buffer.from('sig')), annotations: { other: 'yes' } };
    const ours = layerOf(Buffer.from('ours'), Buffer.from('sig'));
    const config = signatureConfig([theirs, ours]);

    const manifest = signatureManifest({ digest: digestOf(config), size: config.length }, [theirs, ours], {
      annotations: { kept: 'yes' },
    });

    expect(JSON.parse(config.toString()).rootfs).toEqual({ type: 'layers', diff_ids: [theirs.digest, ours.digest] });
    expect(JSON.parse(manifest.toString())).toMatchObject({
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config) },
      layers: [theirs, ours],
      annotations: { kept: 'yes' },
    });
  });

  it('lives under a tag that the digest decides', () => {
    expect(signatureTag(image)).toBe(`sha256-${image.slice(7)}.sig`);
  });

  it.each<[string, string, string | undefined]>([
    ['its own repository', 'ghcr.io/acme/golden/debian', undefined],
    [
      'another repository',
      'ghcr.io/acme/golden/staging/debian',
      'is for the repository ghcr.io/acme/golden/staging/debian',
    ],
  ])('judges a signature for %s as podman does', async (_, named, problem) => {
    const payload = simpleSigningPayload(parseReference(named), image);

    const layer = layerOf(payload, await signer.sign(payload));

    expect(simpleSigningProblem(layer, payload, subject, key)).toBe(problem);
  });

  it('takes index.docker.io and docker.io for the same', async () => {
    const payload = Buffer.from(
      simpleSigningPayload(parseReference('debian'), image).toString().replace('docker.io/', 'index.docker.io/'),
    );

    const layer = layerOf(payload, await signer.sign(payload));

    expect(simpleSigningProblem(layer, payload, { ...parseReference('debian'), digest: image }, key)).toBeUndefined();
  });

  it('finds a signature about another image', async () => {
    const payload = simpleSigningPayload(subject, digestOf('another'));

    const layer = layerOf(payload, await signer.sign(payload));

    expect(simpleSigningProblem(layer, payload, subject, key)).toBe('is about another image');
  });

  it('finds a changed payload, a missing signature and a payload that is none', async () => {
    const payload = simpleSigningPayload(subject, image);
    const layer = layerOf(payload, await signer.sign(payload));
    const text = Buffer.from('{"critical":1}');

    expect(simpleSigningProblem(layer, Buffer.from(`${payload} `), subject, key)).toMatch(/was changed/);
    expect(simpleSigningProblem({ ...layer, annotations: {} }, payload, subject, key)).toBe('has no signature');
    expect(simpleSigningProblem(layerOf(text, await signer.sign(text)), text, subject, key)).toMatch(
      /no simple-signing/,
    );
  });
});

function layerOf(payload: Buffer, signature: Uint8Array) {
  return signatureLayer({ digest: digestOf(payload), size: payload.length }, signature);
}
