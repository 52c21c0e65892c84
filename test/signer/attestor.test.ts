import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { atDigest, atTag, type Reference } from '../../src/domain/reference.ts';
import { MEDIA_TYPES, type Registry } from '../../src/registry/registry.ts';
import { createAttestor } from '../../src/signer/attestor.ts';
import { BUNDLE_MEDIA_TYPE, SIGNATURE, signBundle, statementPayload } from '../../src/signer/bundle.ts';
import { pushBundle } from '../../src/signer/bundle-referrers.ts';
import { createKeySigner, generateKeyPair } from '../../src/signer/key.ts';
import { signatureTag } from '../../src/signer/signer.ts';
import { SIMPLE_SIGNING_MEDIA_TYPE } from '../../src/signer/simple-signing.ts';
import { spdxStatement } from '../../src/signer/statements.ts';
import { REGISTRIES } from './registries.ts';
import { CREATED, createScene, type PushedImage, pushImage, type Scene } from './scene.ts';

const SPDX = spdxStatement(Buffer.from('{"spdxVersion":"SPDX-2.3"}'));

describe.each(REGISTRIES)('attestor on $name', ({ start }) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await createScene(await start());
  });
  afterAll(() => scene?.close());

  const push = (name: string): Promise<PushedImage> => pushImage(scene.registry, scene.repository(name));

  it('signs in both formats and reads them back', async () => {
    const { index } = await push('signs');

    await scene.attestor.sign(index, CREATED);

    expect(await scene.attestor.verify(index)).toEqual({
      digest: index.digest,
      bundle: 'valid',
      legacy: 'valid',
      attestations: [],
      problems: [],
    });
  });

  it('finds nothing where nothing is', async () => {
    const { index } = await push('nothing');

    expect(await scene.attestor.verify(index)).toMatchObject({ bundle: 'missing', legacy: 'missing', problems: [] });
  });

  it('lets other clients find a signature by its artifact type and annotations', async () => {
    const { index } = await push('descriptor');

    await scene.attestor.sign(index, CREATED);

    const [referrer] = await scene.registry.referrers(index);
    expect(referrer).toMatchObject({
      artifactType: BUNDLE_MEDIA_TYPE,
      annotations: {
        'dev.sigstore.bundle.content': 'dsse-envelope',
        'dev.sigstore.bundle.predicateType': SIGNATURE.predicateType,
        'org.opencontainers.image.created': CREATED.createdAt,
      },
    });
  });

  it('signs and attests once, however often it is told to, even at the same time', async () => {
    const { index } = await push('once');
    const again = () => Promise.all([scene.attestor.sign(index, CREATED), scene.attestor.attest(index, SPDX, CREATED)]);

    await Promise.all([again(), again()]);
    const before = await stateOf(scene.registry, index);
    await again();

    expect(await stateOf(scene.registry, index)).toEqual(before);
    expect(before.referrers).toHaveLength(2);
    expect(before.layers).toHaveLength(1);
  });

  it('attests anew when the statement says something else', async () => {
    const { index } = await push('anew');
    await scene.attestor.attest(index, SPDX, CREATED);

    await scene.attestor.attest(index, { ...SPDX, predicate: { spdxVersion: 'SPDX-2.3', name: 'more' } }, CREATED);

    expect(await scene.registry.referrers(index)).toHaveLength(2);
    expect((await scene.attestor.verify(index)).attestations).toEqual([SPDX.predicateType]);
  });

  it('adds the format that is missing, and leaves the other alone', async () => {
    const { index } = await push('half');
    const payload = statementPayload(index.digest, SIGNATURE);
    const bundle = await signBundle(payload, createKeySigner(scene.keys.privateKey));
    await pushBundle(scene.registry, index, bundle, { ...CREATED, predicateType: SIGNATURE.predicateType });

    await scene.attestor.sign(index, CREATED);

    expect(await scene.attestor.verify(index)).toMatchObject({ bundle: 'valid', legacy: 'valid' });
    expect(await scene.registry.referrers(index)).toHaveLength(1);
  });

  it('stands beside the signature of another key, in both formats', async () => {
    const { index } = await push('two');
    const other = generateKeyPair();
    await createAttestor({ registry: scene.registry, signer: createKeySigner(other.privateKey) }).sign(index, CREATED);

    await scene.attestor.sign(index, CREATED);

    const whole = { bundle: 'valid', legacy: 'valid', problems: [] };
    expect(await scene.attestor.verify(index)).toMatchObject(whole);
    expect(await scene.attestor.verify(index, { publicKey: other.publicKey })).toMatchObject(whole);
    expect((await stateOf(scene.registry, index)).layers).toHaveLength(2);
  });

  it("calls another key's signatures invalid, and says why", async () => {
    const { index } = await push('stranger');
    await scene.attestor.sign(index, CREATED);

    const found = await scene.attestor.verify(index, { publicKey: generateKeyPair().publicKey });

    expect(found).toMatchObject({ bundle: 'invalid', legacy: 'invalid' });
    expect(found.problems).toEqual([
      expect.stringMatching(/^bundle .* was made with another key/),
      expect.stringMatching(/^legacy signature .* was made with another key/),
    ]);
  });

  it('does not take the signature of one image for that of another', async () => {
    const { index, platforms } = await push('moved');
    const signer = createKeySigner(scene.keys.privateKey);
    const bundle = await signBundle(statementPayload(platforms[0]!.digest, SIGNATURE), signer);
    await pushBundle(scene.registry, index, bundle, { ...CREATED, predicateType: SIGNATURE.predicateType });
    await scene.attestor.sign(platforms[0]!, CREATED);
    const theirs = await scene.registry.manifest(atTag(index, signatureTag(platforms[0]!.digest)));
    await scene.registry.putManifest(atTag(index, signatureTag(index.digest)), {
      mediaType: MEDIA_TYPES.manifest,
      bytes: theirs!.bytes,
    });

    const found = await scene.attestor.verify(index);

    expect(found).toMatchObject({ bundle: 'invalid', legacy: 'invalid' });
    expect(found.problems).toEqual([
      expect.stringMatching(/^bundle .* is about another image/),
      expect.stringMatching(/^legacy signature .* is about another image/),
    ]);
  });

  it('signs over a changed bundle of its own, and reports the changed one', async () => {
    const { index } = await push('tampered');
    const payload = statementPayload(index.digest, SIGNATURE);
    const bundle = JSON.parse((await signBundle(payload, createKeySigner(scene.keys.privateKey))).toString());
    bundle.dsseEnvelope.payload = Buffer.from(`${payload} `).toString('base64');
    const about = { ...CREATED, predicateType: SIGNATURE.predicateType };
    await pushBundle(scene.registry, index, Buffer.from(JSON.stringify(bundle)), about);

    await scene.attestor.sign(index, CREATED);

    const found = await scene.attestor.verify(index);
    expect(found.bundle).toBe('valid');
    expect(found.problems).toEqual([expect.stringMatching(/^bundle .* does not fit its content/)]);
  });

  it('passes over referrers that are no bundles, or not one bundle alone', async () => {
    const { index } = await push('others');
    await pushReferrer(scene.registry, index, 'application/vnd.example.sbom', ['{}']);
    await pushReferrer(scene.registry, index, BUNDLE_MEDIA_TYPE, ['{"a":1}', '{"b":2}']);

    await scene.attestor.sign(index, CREATED);

    expect(await scene.attestor.verify(index)).toMatchObject({ bundle: 'valid', problems: [] });
  });

  it('reports a bundle that is no JSON, and does not throw', async () => {
    const { index } = await push('garbage');
    await pushReferrer(scene.registry, index, BUNDLE_MEDIA_TYPE, ['garbage']);

    const found = await scene.attestor.verify(index);

    expect(found.bundle).toBe('invalid');
    expect(found.problems).toEqual([expect.stringMatching(/is no sigstore bundle/)]);
  });

  it('never writes over a .sig tag that holds something else', async () => {
    const { index } = await push('occupied');
    const tag = atTag(index, signatureTag(index.digest));
    const { bytes } = (await scene.registry.manifest(index))!;
    await scene.registry.putManifest(tag, { mediaType: MEDIA_TYPES.index, bytes });

    await expect(scene.attestor.sign(index, CREATED)).rejects.toMatchObject({ code: 'signing-failed' });

    expect((await scene.registry.head(tag))?.digest).toBe(index.digest);
  });

  it('neither signs nor verifies what is not there', async () => {
    const absent = atDigest(scene.repository('absent'), digestOf('absent'));

    await expect(scene.attestor.sign(absent, CREATED)).rejects.toMatchObject({ code: 'missing-content' });
    await expect(scene.attestor.verify(absent)).rejects.toMatchObject({ code: 'missing-content' });
  });

  it('verifies without a signing key, and refuses to sign', async () => {
    const { index } = await push('reader');
    await scene.attestor.sign(index, CREATED);
    const reader = createAttestor({ registry: scene.registry, publicKey: scene.keys.publicKey });

    expect(await reader.verify(index)).toMatchObject({ bundle: 'valid', legacy: 'valid' });
    await expect(reader.sign(index, CREATED)).rejects.toMatchObject({ code: 'no-key' });
    await expect(createAttestor({ registry: scene.registry }).verify(index)).rejects.toMatchObject({ code: 'no-key' });
  });

  it('repeats nothing that a signer throws, for it may quote a secret', async () => {
    const { index } = await push('thrower');
    const signer = { publicKey: scene.keys.publicKey, sign: async () => Promise.reject(new Error('hunter2')) };

    const failure = createAttestor({ registry: scene.registry, signer }).sign(index, CREATED);

    await expect(failure).rejects.toMatchObject({
      code: 'signing-failed',
      message: expect.not.stringContaining('hunter2'),
    });
    expect(await scene.attestor.verify(index)).toMatchObject({ bundle: 'missing', legacy: 'missing' });
  });

  it('says that signatures are about digests when it is given a tag', async () => {
    await push('tagged');

    const failure = scene.attestor.verify(atTag(scene.repository('tagged'), '12'));

    await expect(failure).rejects.toMatchObject({ code: 'usage' });
  });
});

async function stateOf(registry: Registry, index: Reference & { digest: `sha256:${string}` }) {
  const referrers = await registry.referrers(index);
  const legacy = await registry.manifest(atTag(index, signatureTag(index.digest)));
  const { layers } = JSON.parse(Buffer.from(legacy!.bytes).toString()) as { layers: { mediaType: string }[] };
  return { referrers, layers: layers.filter(({ mediaType }) => mediaType === SIMPLE_SIGNING_MEDIA_TYPE) };
}

async function pushReferrer(registry: Registry, subject: Reference, artifactType: string, contents: readonly string[]) {
  const config = await registry.putBlob(subject, Buffer.from('{}'), { mediaType: MEDIA_TYPES.empty });
  const layers = [];
  for (const content of contents) {
    layers.push(await registry.putBlob(subject, Buffer.from(content), { mediaType: artifactType }));
  }
  const target = await registry.head(subject);
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, artifactType, config, layers, subject: target };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await registry.putManifest(atDigest(subject, digestOf(bytes)), { mediaType: MEDIA_TYPES.manifest, bytes });
}
