import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { candidateKey } from '../../src/domain/inputs.ts';
import { stagingTag } from '../../src/domain/places.ts';
import { atDigest, atTag, type Reference, repositoryOf } from '../../src/domain/reference.ts';
import type { Release } from '../../src/domain/staleness.ts';
import { ATTACHMENTS_TYPE } from '../../src/flows/attachments.ts';
import { findDamage } from '../../src/flows/damage.ts';
import { repairDamage, repairRelease, repairReleases } from '../../src/flows/repair.ts';
import { putArtifact } from '../../src/image/artifact.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { signatureTag } from '../../src/signer/signer.ts';
import { PREDICATE_TYPES } from '../../src/signer/statements.ts';
import { removeBlob } from '../support/registry.ts';
import { createReleaseScene, type ReleaseScene } from '../support/release-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const signal = new AbortController().signal;

let standing: StandingScene;
let http: Http;
beforeAll(async () => {
  standing = await startStandingScene();
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
});
afterAll(async () => {
  await Promise.all([http?.close(), standing?.stop()]);
});

/** A fleet with one whole release, and what asks about it. */
async function setUp(name: string, options: { settings?: string } = {}) {
  const base = repositoryOf(standing.repository(name));
  const asked: string[] = [];
  const registry = createRegistry({ http, onRequest: ({ method }) => asked.push(method) });
  const scene = createReleaseScene({ base, registry, ledger: standing.ledger, ...options });
  const { release, ending } = await scene.release('one');
  expect(ending).toBeUndefined();
  const repository = scene.repository();
  const one = { image: 'base', repository, digest: release.digest };
  return {
    ...{ scene, repository, release, registry, asked },
    damage: () => findDamage(repository, release, scene.deps, signal),
    repair: (dryRun = false) => repairRelease(one, scene.deps, signal, { dryRun }),
    states: () => statesOf(scene, release),
  };
}

async function statesOf({ deps, repository }: ReleaseScene, { digest, platforms }: Release) {
  const all = [digest, ...Object.values(platforms)].map((each) => atDigest(repository(), each!));
  const found = await Promise.all(all.map((at) => deps.attestor.verify(at)));
  return found.map(({ bundle, legacy }) => `${bundle} ${legacy}`);
}

async function removeReferrers(scene: ReleaseScene, subject: Reference, kind: (type: string) => boolean) {
  const { registry } = scene;
  const fallback = atTag(subject, `sha256-${subject.digest!.slice(7)}`);
  const list = await registry.manifest(fallback);
  const index = JSON.parse(Buffer.from(list!.bytes).toString('utf8'));
  const typeOf = (each: { artifactType: string; annotations?: Record<string, string> }) =>
    each.annotations?.['dev.sigstore.bundle.predicateType'] ?? each.artifactType;
  const [gone, left] = [[], []] as { digest: `sha256:${string}` }[][];
  for (const each of index.manifests) (kind(typeOf(each)) ? gone! : left!).push(each);
  for (const { digest } of gone!) await registry.remove(atDigest(subject, digest));
  const bytes = Buffer.from(JSON.stringify({ ...index, manifests: left }));
  await registry.putManifest(fallback, { mediaType: list!.descriptor.mediaType, bytes });
  return gone!.length;
}

test('a whole release lacks nothing, which takes a handful of requests', async () => {
  const { damage, asked } = await setUp('whole');
  await damage();
  asked.length = 0;

  expect(await damage()).toEqual([]);

  expect(asked.filter((method) => method === 'HEAD')).toHaveLength(5);
  expect(asked).toHaveLength(8);
});

test('what belongs to a release is what the release itself recorded', async () => {
  const { registry, repository, release, damage } = await setUp('recorded');

  const [list] = await registry.referrers(atDigest(repository, release.digest), { artifactType: ATTACHMENTS_TYPE });

  expect(list!.annotations?.['io.ingot.attachments']).toContain(PREDICATE_TYPES.provenance);
  expect(await damage()).toEqual([]);
});

test('a release from before lists were kept is judged by what every release has', async () => {
  const { scene, repository, release, damage } = await setUp('older');
  const index = atDigest(repository, release.digest);
  await removeReferrers(scene, index, (type) => type === ATTACHMENTS_TYPE || type === PREDICATE_TYPES.verdict);

  expect(await damage()).toEqual(['the verdict of the index']);
});

describe('is noticed and put back:', () => {
  test('the manifest of a platform, from staging', async () => {
    const { repository, release, registry, damage, repair, states } = await setUp('manifest');
    await registry.remove(atDigest(repository, release.platforms['linux/arm64']!));

    expect(await damage()).toEqual(['the manifest of linux/arm64']);
    const report = await repair();

    expect(report).toMatchObject({ restored: ['the manifest of linux/arm64'], lost: [] });
    expect(await damage()).toEqual([]);
    expect(await states()).toEqual(Array(3).fill('valid valid'));
  });

  test('a blob, which only a deep look sees', async () => {
    const { repository, release, registry, damage, repair } = await setUp('blob');
    const platform = atDigest(repository, release.platforms['linux/amd64']!);
    const { layers } = JSON.parse(Buffer.from((await registry.manifest(platform))!.bytes).toString('utf8'));
    await removeBlob(repository, layers[0].digest);

    expect(await damage()).toEqual([]);
    // Platforms share layers
    const missing = ['linux/amd64', 'linux/arm64'].map((each) => `the blob ${layers[0].digest} of ${each}`);
    expect(await repair(true)).toMatchObject({ missing, restored: [] });
    expect(await repair()).toMatchObject({ restored: missing, lost: [] });

    expect(await registry.hasBlob(repository, layers[0])).toBe(true);
    expect(await repair()).toMatchObject({ missing: [] });
  });

  test('signatures of both forms, of index and platforms', async () => {
    const { scene, repository, release, registry, damage, repair, states } = await setUp('signatures');
    const [amd64, arm64] = [release.platforms['linux/amd64']!, release.platforms['linux/arm64']!];
    await removeReferrers(scene, atDigest(repository, amd64), (type) => type.includes('cosign/sign'));
    for (const digest of [release.digest, arm64]) {
      const legacy = await registry.head(atTag(repository, signatureTag(digest)));
      await registry.remove(atDigest(repository, legacy!.digest));
    }

    expect((await damage()).toSorted()).toEqual([
      'the signature (bundle) of linux/amd64',
      'the signature (legacy) of linux/arm64',
      'the signature (legacy) of the index',
    ]);
    expect((await repair())!.lost).toEqual([]);

    expect(await states()).toEqual(Array(3).fill('valid valid'));
  });

  test('a signature that is there and does not verify', async () => {
    const { repository, release, registry, damage, repair, states } = await setUp('invalid');
    const tag = atTag(repository, signatureTag(release.digest));
    const stored = await registry.manifest(atTag(repository, signatureTag(release.platforms['linux/amd64']!)));
    await registry.putManifest(tag, { mediaType: stored!.descriptor.mediaType, bytes: stored!.bytes });

    expect(await damage()).toEqual([]);
    expect(await repair()).toMatchObject({ restored: ['the signature (legacy) of the index'] });

    expect(await states()).toEqual(Array(3).fill('valid valid'));
  });

  test('attestations and SBOMs, also when staging has lost its evidence', async () => {
    const { scene, repository, release, registry, damage, repair } = await setUp('statements');
    const every = [release.digest, ...Object.values(release.platforms)].map((each) => atDigest(repository, each!));
    for (const subject of every) {
      await removeReferrers(scene, subject, (type) => !type.includes('cosign/sign') && !type.includes('ingot'));
    }
    const key = candidateKey(release.inputs!);
    const sbom = await registry.head(atTag(scene.places.staging('base'), stagingTag.sbom(key, 'linux/amd64')));
    await registry.remove(atDigest(scene.places.staging('base'), sbom!.digest));

    expect(await damage()).toHaveLength(7);
    expect((await repair())!.lost).toEqual([]);

    expect(await damage()).toEqual([]);
    const { attestations } = await scene.deps.attestor.verify(every[0]!);
    expect(attestations).toContain(PREDICATE_TYPES.provenance);
  });
});

test('nothing is signed about an index of which no word by the key is left', async () => {
  const { scene, repository, release, registry, damage, repair } = await setUp('forged');
  const index = atDigest(repository, release.digest);
  await removeReferrers(scene, index, (type) => type.startsWith('https://'));
  const legacy = await registry.head(atTag(repository, signatureTag(release.digest)));
  await registry.remove(atDigest(repository, legacy!.digest));

  const report = await repair();

  expect(report!.restored).toEqual([]);
  expect(report!.lost[0]).toEqual({
    what: 'the signature (bundle) of the index',
    why: 'no statement by the key is left that says that this index is ours',
  });
  expect(await damage()).toHaveLength(report!.lost.length);
  expect((await scene.deps.attestor.verify(index)).bundle).toBe('missing');
});

test.each([
  ['nothing', []],
  ['what nobody makes', ['application/vnd.example.other']],
])('another list of attachments that names %s hides nothing and asks for nothing', async (_, types) => {
  const { scene, repository, release, registry, damage } = await setUp(`list-${types.length}`);
  const subject = (await registry.head(atDigest(repository, release.digest)))!;
  const content = JSON.stringify({ [release.digest]: types });
  const annotations = { 'io.ingot.attachments': content, 'org.opencontainers.image.created': '2020-01-01T00:00:00Z' };
  await putArtifact(registry, repository, { artifactType: ATTACHMENTS_TYPE, layers: [], annotations, subject }, {});

  expect(await damage()).toEqual([]);
  const legacy = await registry.head(atTag(repository, signatureTag(release.digest)));
  await registry.remove(atDigest(repository, legacy!.digest));
  const index = atDigest(repository, release.digest);
  await removeReferrers(scene, index, (type) => type === PREDICATE_TYPES.provenance);

  expect(await damage()).toEqual(['the signature (legacy) of the index', 'the provenance of the index']);
});

test('what cannot be put back is named, and released once more', async () => {
  const { scene, repository, release, registry } = await setUp('lost');
  const platform = release.platforms['linux/arm64']!;
  for (const place of [repository, scene.places.staging('base')]) await registry.remove(atDigest(place, platform));

  const { lost } = await repairDamage(scene.image(), release, scene.deps, signal);
  expect(lost).toEqual(['the manifest of linux/arm64']);
  const reasons = [{ kind: 'release-damaged', missing: lost }] as const;
  const { ending } = await scene.release('one', { reasons });

  // The rebuild is the same to the bit, so that it is just what was missing: nothing new is released
  expect(ending).toMatchObject({ outcome: 'unchanged' });
  expect(await findDamage(repository, release, scene.deps, signal)).toEqual([]);
});

test.each([
  ['is judged and signed again', true, '12.0.0'],
  ['is released anew when its candidate is gone, too', false, '12.0.1'],
])('a release whose every signature is gone %s', async (_, kept, version) => {
  const { scene, repository, release, registry } = await setUp(`unsigned-${kept}`);
  await removeReferrers(scene, atDigest(repository, release.digest), (type) => type.startsWith('https://'));
  const legacy = await registry.head(atTag(repository, signatureTag(release.digest)));
  await registry.remove(atDigest(repository, legacy!.digest));
  const { lost } = await repairDamage(scene.image(), release, scene.deps, signal);

  const staging = scene.places.staging('base');
  const candidate = await registry.head(atTag(staging, stagingTag.index(candidateKey(release.inputs!))));
  if (!kept) await registry.remove(atDigest(staging, candidate!.digest));

  const again = await scene.release('one', { reasons: [{ kind: 'release-damaged', missing: lost }] });

  expect(again.ending).toBeUndefined();
  expect(again.release.version).toBe(version);
  expect(again.release.platforms).toEqual(release.platforms);
  expect(await findDamage(repository, again.release, scene.deps, signal)).toEqual([]);
});

test('releases behind every channel are looked at, and a repair that is killed goes on', async () => {
  const { scene, repository, release, registry } = await setUp('channels');
  await scene.release('two', { reasons: [{ kind: 'definition-changed', parts: ['x'] }] });
  await registry.remove(atDigest(repository, release.platforms['linux/amd64']!));
  for (const digest of [release.digest, release.platforms['linux/arm64']!]) {
    const legacy = await registry.head(atTag(repository, signatureTag(digest)));
    await registry.remove(atDigest(repository, legacy!.digest));
  }
  let puts = 0;
  const dying = {
    ...registry,
    async putManifest(...args: Parameters<typeof registry.putManifest>) {
      puts += 1;
      if (puts === 2) throw new Error('killed');
      return registry.putManifest(...args);
    },
  };
  const attestor = { ...scene.deps.attestor, sign: () => Promise.reject(new Error('killed')) };

  await expect(repairReleases([scene.image()], { ...scene.deps, registry: dying, attestor }, signal)).rejects.toThrow();
  const reports = await repairReleases([scene.image()], scene.deps, signal);

  // 12 is at 12.1.0, 12.0 at 12.0.0
  expect(reports.map(({ version }) => version).toSorted()).toEqual(['12.0.0', '12.1.0']);
  expect(reports.flatMap(({ lost }) => lost)).toEqual([]);
  const after = await repairReleases([scene.image()], scene.deps, signal, { dryRun: true });
  expect(after.flatMap(({ missing }) => missing)).toEqual([]);
});
