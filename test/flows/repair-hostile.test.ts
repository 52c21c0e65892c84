import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Digest, hexOf } from '../../src/domain/digest.ts';
import { INPUTS_ARTIFACT_TYPE } from '../../src/domain/inputs.ts';
import { parseBase, placesBelow } from '../../src/domain/places.ts';
import { atDigest, atTag, type Reference } from '../../src/domain/reference.ts';
import { SYFT_JSON } from '../../src/flows/evidence.ts';
import { addMark, readMarks } from '../../src/flows/marks.ts';
import { attachDocument, attachInputs } from '../../src/flows/releases.ts';
import { repairReleases } from '../../src/flows/repair.ts';
import { replicateAll } from '../../src/flows/replicate.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { type Descriptor, MEDIA_TYPES, type Registry } from '../../src/registry/registry.ts';
import { PREDICATE_TYPES } from '../../src/signer/statements.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';
import { createReleaseScene } from '../support/release-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const signal = new AbortController().signal;
const CREATED = '2026-03-02T00:00:00Z';

let standing: StandingScene;
let http: Http;
let folder: string;
let ours: TestRegistry;
let replica: TestRegistry;
let registry: Registry;
beforeAll(async () => {
  standing = await startStandingScene();
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
  folder = await mkdtemp(join(tmpdir(), 'ingot-repair-'));
  [ours, replica] = await Promise.all([startDistribution({ folder }), startDistribution()]);
  registry = createRegistry({ http, limits: { attempts: 1 } });
});
afterAll(async () => {
  await Promise.all([http?.close(), ours?.stop(), replica?.stop(), standing?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const SECOND = { second: 'line: "1"\nfrom: debian:12-slim\nuser: 10001\n' };

async function setUp(name: string, options: { images?: Record<string, string> } = {}) {
  const settings = `replicas: [${replica.address}/${name}]\n`;
  const base = `${ours.address}/${name}`;
  const scene = createReleaseScene({ base, registry, ledger: standing.ledger, settings, ...options });
  const { release } = await scene.release('one');
  await replicateAll({ ...scene.deps, fleet: scene.fleet }, signal);
  const repository = scene.repository();
  const there = placesBelow(parseBase(`${replica.address}/${name}`)).release('base');
  return {
    ...{ scene, release, repository, there },
    repair: async () => repairReleases(scene.fleet.images, scene.deps, signal),
  };
}

type Listed = Descriptor & { annotations?: Record<string, string> };

/** Rewrites the list of referrers of a digest, as who can push may. */
async function relist(
  repository: Reference,
  subject: Digest,
  change: (listed: readonly Listed[]) => readonly Listed[],
) {
  const list = atTag(repository, `sha256-${hexOf(subject)}`);
  const stored = await registry.manifest(list);
  const index = JSON.parse(Buffer.from(stored!.bytes).toString('utf8'));
  const bytes = Buffer.from(JSON.stringify({ ...index, manifests: change(index.manifests) }));
  await registry.putManifest(list, { mediaType: MEDIA_TYPES.index, bytes });
}

const without = (type: string) => (listed: readonly Listed[]) =>
  listed.filter(
    ({ artifactType, annotations }) => (annotations?.['dev.sigstore.bundle.predicateType'] ?? artifactType) !== type,
  );

test('a replica cannot write into the log of marks', async () => {
  const { release, repository, there, repair } = await setUp('marks');
  const mark = { kind: 'pause', at: CREATED, by: 'mallory', reason: 'none' } as const;
  await addMark(registry, there, mark, {});
  const tags = (await registry.tags(there)).filter((tag) => tag.startsWith('sha256-'));
  const lists = await Promise.all(tags.map((tag) => registry.manifest(atTag(there, tag))));
  const all = lists.flatMap((stored) => JSON.parse(Buffer.from(stored!.bytes).toString('utf8')).manifests ?? []);
  const forged = all.find(({ artifactType }) => artifactType === 'application/vnd.ingot.mark.v1+json');
  await relist(there, release.digest, () => [{ ...forged, artifactType: INPUTS_ARTIFACT_TYPE }]);
  await relist(repository, release.digest, without(INPUTS_ARTIFACT_TYPE));
  const before = await readMarks(registry, repository, {});

  const reports = await repair();

  expect(await readMarks(registry, repository, {})).toEqual(before);
  expect(reports.flatMap(({ lost }) => lost.map(({ what }) => what))).toEqual([
    'the record of its inputs of the index',
  ]);
});

test('a record of other inputs is not taken from a replica', async () => {
  const { release, repository, there, repair } = await setUp('records');
  await relist(there, release.digest, without(INPUTS_ARTIFACT_TYPE));
  const forged = { ...release.inputs!, definition: { 'image.yaml': release.digest } };
  await attachInputs(registry, atDigest(there, release.digest), forged, { createdAt: CREATED });
  await relist(repository, release.digest, without(INPUTS_ARTIFACT_TYPE));

  const [report] = await repair();

  expect(report!.lost.map(({ what }) => what)).toEqual(['the record of its inputs of the index']);
  const found = await registry.referrers(atDigest(repository, release.digest), { artifactType: INPUTS_ARTIFACT_TYPE });
  expect(found).toEqual([]);
});

test('the record that the index names is taken from a replica', async () => {
  const { release, repository, repair } = await setUp('record');
  await relist(repository, release.digest, without(INPUTS_ARTIFACT_TYPE));

  const [report] = await repair();

  expect(report).toMatchObject({ restored: ['the record of its inputs of the index'], lost: [] });
  const found = await registry.referrers(atDigest(repository, release.digest), { artifactType: INPUTS_ARTIFACT_TYPE });
  expect(found).toHaveLength(1);
});

test('an SBOM, which nothing signs, is made again and not taken from a replica', async () => {
  const { release, repository, there, repair } = await setUp('sbom');
  const platform = release.platforms['linux/amd64']!;
  await relist(there, platform, without(SYFT_JSON));
  const content = Buffer.from('{"artifacts":[]}');
  await attachDocument(registry, atDigest(there, platform), SYFT_JSON, content, { createdAt: CREATED });
  await relist(repository, platform, without(SYFT_JSON));

  const [report] = await repair();

  expect(report).toMatchObject({ restored: ['the SBOM for rescans of linux/amd64'], lost: [] });
  const forged = (await registry.referrers(atDigest(there, platform), { artifactType: SYFT_JSON }))[0]!.digest;
  const found = await registry.referrers(atDigest(repository, platform), { artifactType: SYFT_JSON });
  expect(found.map(({ digest }) => digest)).not.toContain(forged);
  expect(found).toHaveLength(1);
});

test('a statement of a replica that does not verify is made again', async () => {
  const { scene, release, repository, there, repair } = await setUp('statement');
  const other = createReleaseScene({
    base: `${replica.address}/other`,
    registry,
    ledger: standing.ledger,
  });
  const { release: foreign } = await other.release('other');
  const [bundle] = (await registry.referrers(atDigest(other.repository(), foreign.digest))).filter(
    ({ annotations }) => annotations?.['dev.sigstore.bundle.predicateType'] === PREDICATE_TYPES.provenance,
  );
  await registry.copy(atDigest(other.repository(), bundle!.digest), {
    registry: there.registry,
    repository: there.repository,
  });
  await relist(there, release.digest, () => [bundle! as Listed]);
  await relist(repository, release.digest, without(PREDICATE_TYPES.provenance));

  const [report] = await repair();

  expect(report).toMatchObject({ restored: ['the provenance of the index'], lost: [] });
  const { attestations, problems } = await scene.deps.attestor.verify(atDigest(repository, release.digest));
  expect(attestations).toContain(PREDICATE_TYPES.provenance);
  expect(problems).toEqual([]);
});

test('a record that cannot be understood holds up no repair', async () => {
  const { release, repository, repair } = await setUp('garbage');
  const at = atDigest(repository, release.digest);
  await attachDocument(registry, at, INPUTS_ARTIFACT_TYPE, Buffer.from('no record'), { createdAt: CREATED });
  await relist(repository, release.digest, without(PREDICATE_TYPES.provenance));

  const [report] = await repair();

  expect(report).toMatchObject({ restored: ['the provenance of the index'], lost: [] });
});

/** Other bytes under the same digest, as a broken disk leaves them. */
async function corrupt(digest: Digest) {
  const hex = hexOf(digest);
  const path = join(folder, 'data/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  const bytes = await readFile(path);
  bytes[bytes.length - 3] = 0x20 ^ bytes[bytes.length - 3]!;
  await writeFile(path, bytes);
  expect(await readdir(join(path, '..'))).toEqual(['data']);
}

test('wrong content under a digest, which this registry does not serve, is said, and holds up no other image', async () => {
  const { scene, release, repair } = await setUp('corrupt', { images: SECOND });
  const { release: second } = await scene.release('other', { name: 'second' });
  await relist(scene.repository('second'), second.digest, without(PREDICATE_TYPES.provenance));
  await corrupt(release.platforms['linux/amd64']!);

  const reports = await repair();

  const of = (image: string) => reports.find((report) => report.image === image);
  expect(of('base')).toMatchObject({ version: '12.0.0', restored: [] });
  expect(of('base')!.unknown).toContain('answered HEAD with 500');
  expect(of('second')).toMatchObject({ restored: ['the provenance of the index'], lost: [] });
});
