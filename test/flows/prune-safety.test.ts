import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDownstream } from '../../scripts/demo/downstream.ts';
import { type Digest, hexOf } from '../../src/domain/digest.ts';
import { candidateKey, INPUTS_ARTIFACT_TYPE } from '../../src/domain/inputs.ts';
import { mirrorTag, stagingTag } from '../../src/domain/places.ts';
import { atDigest, atTag, parseReference, repositoryOf } from '../../src/domain/reference.ts';
import type { Reason, Release } from '../../src/domain/staleness.ts';
import { noteCandidate } from '../../src/flows/candidate-note.ts';
import { planPruning, prune } from '../../src/flows/prune.ts';
import type { PruneDeps } from '../../src/flows/prune-facts.ts';
import { attachDocument } from '../../src/flows/releases.ts';
import { repairRelease } from '../../src/flows/repair.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { type Registry, RegistryError } from '../../src/registry/registry.ts';
import { signatureTag } from '../../src/signer/signer.ts';
import { pushImage } from '../support/images.ts';
import { createReleaseScene } from '../support/release-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const signal = new AbortController().signal;
const NEWER: readonly Reason[] = [{ kind: 'requested', by: 'ada' }];
const SETTINGS = 'retention: { staging: 14d, releases: { keep: 1, age: 30d } }\n';
const CHILD = { child: 'line: "3.11"\nfrom: { golden: base }\n' };
const NOW = '2026-12-01T00:00:00Z';

let standing: StandingScene;
let registry: Registry;
let folder: string;
beforeAll(async () => {
  standing = await startStandingScene();
  registry = standing.registry;
  folder = await mkdtemp(join(tmpdir(), 'ingot-prune-safety-'));
});
afterAll(async () => {
  await standing?.stop();
  await rm(folder, { recursive: true, force: true });
});

function setUp(name: string, { settings = '', images = {} } = {}) {
  const base = repositoryOf(standing.repository(name));
  const scene = createReleaseScene({
    ...{ base, registry, ledger: standing.ledger, settings: `${SETTINGS}${settings}`, images },
  });
  const upstream = parseReference(`${base}/upstream:12-slim`);
  const deps: PruneDeps = {
    ...{ registry, ledger: standing.ledger, places: scene.places, fleet: scene.fleet, downstreams: [] },
    sourceOf: () => upstream,
    now: () => new Date(NOW),
  };
  return {
    ...{ scene, deps },
    async releases(count: number) {
      const all: Release[] = [];
      for (let index = 0; index < count; index++) {
        scene.setTime(`2026-0${index + 1}-01T00:00:00Z`);
        const { release } = await scene.release(`edition ${index}`, index === 0 ? {} : { reasons: NEWER });
        all.push(release);
      }
      await pushImage(registry, upstream, { platforms: ['linux/amd64'] });
      return all;
    },
    versions: async () => (await registry.tags(scene.repository())).filter((tag) => /^\d+\.\d+\.\d+$/.test(tag)),
  };
}

type Plan = Awaited<ReturnType<typeof planPruning>>;
const going = ({ items }: Plan, area: string) =>
  items.flatMap((item) => (item.goes && item.area === area ? [item.name] : []));
const why = ({ items }: Plan, name: string) =>
  items.find((item) => item.area === 'releases' && item.name === name)!.why;

test('what is attached to a platform that was lost stays until that is put back', async () => {
  const { scene, deps, releases } = setUp('lost');
  const [release] = await releases(1);
  const platform = release!.platforms['linux/arm64']!;
  await registry.remove(atDigest(scene.repository(), platform));
  const before = await registry.referrers(atDigest(scene.repository(), platform));

  const { plan } = await prune(deps, 'ada', signal);
  const one = { image: 'base', repository: scene.repository(), digest: release!.digest };
  const report = await repairRelease(one, scene.deps, signal);

  expect(going(plan, 'releases')).toEqual([]);
  expect(await registry.head(atTag(scene.repository(), signatureTag(platform)))).toBeDefined();
  expect(report!.restored).toEqual(['the manifest of linux/arm64']);
  expect(await registry.referrers(atDigest(scene.repository(), platform))).toEqual(before);
});

test('what a release needs stays when the release stays after all', async () => {
  const { scene, deps, releases, versions } = setUp('after-all', { images: CHILD });
  const [first, second] = await releases(3);
  scene.setTime('2026-05-01T00:00:00Z');
  await scene.release('child of 0', { name: 'child', base: first! });
  scene.setTime('2026-05-02T00:00:00Z');
  await scene.release('child of 1', { name: 'child', base: second!, reasons: NEWER });
  scene.setTime('2026-05-03T00:00:00Z');
  await scene.release('child of 1 again', { name: 'child', base: second!, reasons: NEWER });
  const child = scene.repository('child');
  const racing: Registry = {
    ...registry,
    async remove(...args) {
      if (args[0].repository === child.repository) throw new RegistryError('503', { code: 'unavailable' });
      return registry.remove(...args);
    },
  };

  const { plan, problems } = await prune({ ...deps, registry: racing }, 'ada', signal);

  expect(going(plan, 'releases')).toEqual(['3.11.0', '12.0.0']);
  expect(problems.join('\n')).toContain('left as it is, as');
  expect(await versions()).toEqual(['12.0.0', '12.0.1', '12.0.2']);
  const mirror = scene.places.mirror(parseReference('docker.io/library/debian:12-slim'));
  const mirrored = Object.values(first!.inputs!.inputs[0]!.platforms).map((digest) => mirrorTag(digest!));
  expect(await registry.tags(mirror)).toEqual(expect.arrayContaining(mirrored));
});

test('content that a run elsewhere has promoted, and that no tag leads to yet, stays', async () => {
  const { scene, deps, releases } = setUp('elsewhere');
  const [first] = await releases(3);
  const staging = scene.places.staging('base');
  await noteCandidate(registry, staging, candidateKey(first!.inputs!), {
    now: new Date('2026-01-01T00:00:00Z'),
    signal,
  });
  const dying: Registry = {
    ...registry,
    async remove(...args) {
      await registry.remove(...args);
      throw new Error('killed');
    },
  };
  await prune({ ...deps, registry: dying }, 'ada', signal).catch(() => undefined);
  scene.setTime('2026-11-30T23:00:00Z');
  const { verify } = scene.deps.attestor;
  Object.assign(scene.deps.attestor, { verify: () => Promise.reject(new Error('killed')) });
  await scene.release('edition 0', { reasons: NEWER }).catch(() => undefined);
  Object.assign(scene.deps.attestor, { verify });
  const platforms = Object.values(first!.platforms).map((digest) => atDigest(scene.repository(), digest!));

  await prune(deps, 'ada', signal);

  for (const platform of platforms) expect(await registry.head(platform)).toBeDefined();
  const { release } = await scene.release('edition 0', { reasons: NEWER });
  expect(release).toMatchObject({ version: '12.0.3', platforms: first!.platforms });
  for (const platform of platforms) expect((await verify(platform)).problems).toEqual([]);
});

test('an old release whose content a run takes up again stays', async () => {
  const { scene, deps, releases } = setUp('again');
  const [first] = await releases(3);
  const own = { ...first!.inputs!, requestedAt: NOW };
  const staging = scene.places.staging('base');
  await noteCandidate(registry, staging, candidateKey(own), { now: new Date(NOW), signal });
  for (const platform of own.platforms) {
    const built = atTag(staging, stagingTag.build(candidateKey(first!.inputs!), platform));
    await registry.copy(built, atTag(staging, stagingTag.build(candidateKey(own), platform)));
  }

  const plan = await planPruning(deps, signal);

  expect(going(plan, 'releases')).toEqual([]);
  expect(why(plan, '12.0.0')).toEqual([`candidate ${candidateKey(own).slice(0, 12)} has the same content`]);
});

test('a base stays also when the record that names it is lost', async () => {
  const { scene, deps, releases } = setUp('record', { images: CHILD });
  const [first] = await releases(3);
  const { release: child } = await scene.release('child', { name: 'child', base: first! });
  await forget(scene.repository('child'), child.digest, INPUTS_ARTIFACT_TYPE);
  const staging = scene.places.staging('child');
  for (const tag of await registry.tags(staging)) {
    const head = await registry.head(atTag(staging, tag));
    if (head !== undefined) await registry.remove(atDigest(staging, head.digest));
  }

  const plan = await planPruning(deps, signal);

  expect(why(plan, '12.0.0')).toEqual(['child 3.11.0 is built on it']);
});

async function forget(repository: ReturnType<typeof parseReference>, subject: Digest, type: string) {
  const list = atTag(repository, `sha256-${hexOf(subject)}`);
  const stored = await registry.manifest(list);
  const index = JSON.parse(Buffer.from(stored!.bytes).toString('utf8'));
  const manifests = index.manifests.filter((each: { artifactType: string }) => each.artifactType !== type);
  const bytes = Buffer.from(JSON.stringify({ ...index, manifests }));
  await registry.putManifest(list, { mediaType: stored!.descriptor.mediaType, bytes });
}

test('a record that cannot be understood keeps everything', async () => {
  const { scene, deps, releases } = setUp('garbage');
  const [, , newest] = await releases(3);
  const at = atDigest(scene.repository(), newest!.digest);
  await attachDocument(registry, at, INPUTS_ARTIFACT_TYPE, Buffer.from('no record'), { createdAt: NOW });

  const plan = await planPruning(deps, signal);

  expect(plan.items.filter(({ goes }) => goes)).toEqual([]);
  expect(plan.unknown.join()).toMatch(/could not be read: .*record/);
});

test('a pin that names a replica keeps what it means', async () => {
  const settings = 'replicas: [registry.example/copies]\n';
  const { deps, releases } = setUp('replica', { settings });
  const [first, second] = await releases(4);
  const path = join(folder, 'replica.git');
  const pins = `FROM registry.example/copies/base:12.0.0@${first!.digest}\nFROM registry.example/copies/base:12.0.1\n`;
  await makeDownstream(path, { Dockerfile: pins });
  const forge = createLocalForge({ now: () => new Date() });

  const plan = await planPruning({ ...deps, downstreams: [forge.repository(path, {})] }, signal);

  expect(going(plan, 'releases')).toEqual([]);
  expect(why(plan, '12.0.0')[0]).toContain('pinned by');
  expect(why(plan, second!.version)[0]).toContain('pinned by');
});

test.each([
  ['the list of tags', 'tags'],
  ['a manifest', 'manifest'],
  ['a list of referrers', 'referrers'],
] as const)('where %s is answered with an error, everything of it stays', async (_, method) => {
  const { scene, deps, releases } = setUp(`error-${method}`, { images: CHILD });
  await releases(3);
  await scene.release('child', { name: 'child', base: (await scene.release('edition 2', { reasons: NEWER })).release });
  const child = scene.repository('child').repository;
  const failing: Registry = {
    ...registry,
    [method]: async (reference: { repository: string }, ...rest: never[]) => {
      if (reference.repository === child) throw new RegistryError('429', { code: 'rate-limited' });
      return (registry[method] as (...args: unknown[]) => unknown)(reference, ...rest);
    },
  };

  const plan = await planPruning({ ...deps, registry: failing }, signal);

  expect(plan.items.filter(({ goes }) => goes)).toEqual([]);
  expect(plan.unknown.join()).toContain('could not be read: 429');
});

test('two that prune at once end as one does', async () => {
  const { deps, releases, versions } = setUp('two');
  await releases(3);

  const ends = await Promise.all([prune(deps, 'ada', signal), prune(deps, 'bob', signal)]);

  expect(ends.flatMap(({ problems }) => problems).filter((problem) => !problem.includes('meanwhile'))).toEqual([]);
  expect(await versions()).toEqual(['12.0.1', '12.0.2']);
  expect((await planPruning(deps, signal)).removals).toEqual([]);
});
