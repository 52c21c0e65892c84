import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDownstream } from '../../scripts/demo/downstream.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { candidateKey } from '../../src/domain/inputs.ts';
import { mirrorTag, stagingTag } from '../../src/domain/places.ts';
import { atDigest, atTag, parseReference, type Reference, repositoryOf } from '../../src/domain/reference.ts';
import type { Run } from '../../src/domain/run.ts';
import type { Reason, Release } from '../../src/domain/staleness.ts';
import { noteCandidate } from '../../src/flows/candidate-note.ts';
import { readMarks } from '../../src/flows/marks.ts';
import { planPruning, prune } from '../../src/flows/prune.ts';
import type { PruneDeps } from '../../src/flows/prune-facts.ts';
import { quarantineRelease } from '../../src/flows/quarantine.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { parseManifest } from '../../src/registry/manifest.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { pushImage } from '../support/images.ts';
import { startReferrersRegistry, type TestRegistry } from '../support/registry.ts';
import { createReleaseScene, type ReleaseScene } from '../support/release-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const signal = new AbortController().signal;
const NEWER: readonly Reason[] = [{ kind: 'requested', by: 'ada' }];
const SETTINGS = 'retention: { staging: 14d, releases: { keep: 1, age: 30d } }\n';
const CHILD = { child: 'line: "3.11"\nfrom: { golden: base }\n' };
const DEBIAN = parseReference('docker.io/library/debian:12-slim');

let standing: StandingScene;
let modern: TestRegistry;
let http: Http;
let registry: Registry;
let folder: string;
beforeAll(async () => {
  [standing, modern] = await Promise.all([startStandingScene(), startReferrersRegistry()]);
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
  registry = createRegistry({ http, limits: { attempts: 1 } });
  folder = await mkdtemp(join(tmpdir(), 'ingot-prune-'));
});
afterAll(async () => {
  await Promise.all([http?.close(), modern?.stop(), standing?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

interface Options {
  readonly host?: string;
  readonly images?: Readonly<Record<string, string>>;
}

function setUp(name: string, { host, images = {} }: Options = {}) {
  const base = host === undefined ? repositoryOf(standing.repository(name)) : `${host}/${name}`;
  const scene = createReleaseScene({ base, registry, ledger: standing.ledger, settings: SETTINGS, images });
  let now = '2026-12-01T00:00:00Z';
  const upstream = parseReference(`${base}/upstream:12-slim`);
  const deps: PruneDeps = {
    ...{ registry, ledger: standing.ledger, places: scene.places, fleet: scene.fleet, downstreams: [] },
    sourceOf: () => upstream,
    now: () => new Date(now),
  };
  return {
    ...{ scene, deps, upstream },
    setTime: (time: string) => {
      now = time;
    },
    /** Releases a month apart, the last one in use. */
    async releases(count: number) {
      const all: Release[] = [];
      for (let index = 0; index < count; index++) {
        scene.setTime(`2026-0${index + 1}-01T00:00:00Z`);
        const { release } = await scene.release(`edition ${index}`, index === 0 ? {} : { reasons: NEWER });
        all.push(release);
      }
      await pushImage(registry, upstream, { platforms: ['linux/amd64', 'linux/arm64'] });
      return all;
    },
    versions: async () => (await registry.tags(scene.repository())).filter((tag) => /^\d+\.\d+\.\d+$/.test(tag)),
  };
}

const went = ({ items }: Awaited<ReturnType<typeof planPruning>>, area: string) =>
  items.flatMap((item) => (item.goes && item.area === area ? [item.name] : []));
const why = ({ items }: Awaited<ReturnType<typeof planPruning>>, name: string) =>
  items.find((item) => item.area === 'releases' && item.name === name)!.why;

/** As a consumer: every tag leads to an image of which nothing is missing, and which verifies. */
async function expectWhole({ deps, fleet, places }: ReleaseScene) {
  for (const { name } of fleet.images) {
    const repository = places.release(name);
    for (const tag of await registry.tags(repository)) {
      if (!/^\d/.test(tag)) continue;
      const { digest } = (await registry.head(atTag(repository, tag)))!;
      await expectImage(repository, digest);
      expect(await deps.attestor.verify(atDigest(repository, digest))).toMatchObject({
        bundle: 'valid',
        legacy: 'valid',
      });
    }
  }
}

async function expectImage(repository: Reference, digest: Digest): Promise<void> {
  const stored = await registry.manifest(atDigest(repository, digest));
  expect(stored, `${repository.repository}@${digest}`).toBeDefined();
  const { config, layers = [], manifests = [] } = parseManifest(stored!.bytes, 'an image');
  for (const blob of [...(config ? [config] : []), ...layers])
    expect(await registry.hasBlob(repository, blob)).toBe(true);
  for (const child of manifests) await expectImage(repository, child.digest);
}

/** Nothing of a release is left: no manifest, nothing that refers to it. */
async function expectGone(repository: Reference, { digest, platforms }: Release) {
  const hexes = [digest, ...Object.values(platforms)].map((each) => each!.slice(7));
  const tags = await registry.tags(repository);
  expect(tags.filter((tag) => hexes.some((hex) => tag.includes(hex)))).toEqual([]);
  for (const each of [digest, ...Object.values(platforms)]) {
    expect(await registry.head(atDigest(repository, each!))).toBeUndefined();
    expect(await registry.referrers(atDigest(repository, each!))).toEqual([]);
  }
}

describe.each([
  ['a registry that deletes by digest alone', () => undefined],
  ['a registry that lists referrers', () => modern.address],
])('in %s', (kind, host) => {
  const hosted = () => ({ ...(host() && { host: host()! }) });
  const named = (name: string) => `${name}-${kind.length}`;

  test('old releases go with all that refers to them, and the rest stays whole', async () => {
    const { scene, deps, releases, versions } = setUp(named('old'), hosted());
    const all = await releases(4);

    const plan = await planPruning(deps, signal);
    expect(await versions()).toHaveLength(4);
    const { removed, problems } = await prune(deps, 'ada', signal);

    expect(went(plan, 'releases')).toEqual(['12.0.1', '12.0.0']);
    expect(why(plan, '12.0.2')).toContain('a rollback would go back to it');
    expect(why(plan, '12.0.0')[0]).toMatch(/^334 days old, with 3 newer ones/);
    expect(plan.bytes).toBeGreaterThan(0);
    expect(problems).toEqual([]);
    expect(removed).toBeGreaterThan(2);
    expect(await versions()).toEqual(['12.0.2', '12.0.3']);
    for (const release of all.slice(0, 2)) await expectGone(scene.repository(), release);
    await expectWhole(scene);
    const again = await planPruning(deps, signal);
    expect(again.removals).toEqual([]);
    expect(again.bytes).toBe(0);
  });

  test('a version that went is written down first, and is never given again', async () => {
    const { scene, deps, releases } = setUp(named('versions'), hosted());
    const [first] = await releases(3);
    await prune(deps, 'ada', signal);

    const marks = await readMarks(registry, scene.repository(), {});
    expect(marks).toContainEqual(
      expect.objectContaining({ kind: 'version', version: '12.0.0', note: 'pruned', by: 'ada', digest: first!.digest }),
    );
    const { release } = await scene.release('edition 0', { reasons: NEWER });
    expect(release.version).toBe('12.0.3');
  });

  test('candidates go but for the newest and what is in use, and what they share stays', async () => {
    const { scene, deps, releases } = setUp(named('staging'), hosted());
    await releases(2);
    const staging = scene.places.staging('base');
    for (const [content, at] of [
      ['two', '2026-06-01'],
      ['three', '2026-07-01'],
      ['edition 1', '2026-05-01'],
    ] as const) {
      const own = { ...(await scene.inputs(content)), requestedAt: at };
      const key = candidateKey(own);
      await noteCandidate(registry, staging, key, { now: new Date(`${at}T00:00:00Z`), signal });
      for (const platform of own.platforms) {
        const built =
          content === 'edition 1'
            ? atTag(staging, stagingTag.build(candidateKey(await scene.inputs(content)), platform))
            : undefined;
        const target = atTag(staging, stagingTag.build(key, platform));
        if (built !== undefined) await registry.copy(built, target);
        else await pushImage(registry, target, { platforms: [platform], files: { app: content } });
      }
    }

    const { plan } = await prune(deps, 'ada', signal);

    const stays = plan.items.filter(({ area, goes }) => area === 'staging' && !goes).flatMap((item) => item.why);
    expect(stays).toContain('the newest candidate');
    expect(stays).toContain('it became what 12 is at, and its evidence repairs that');
    expect(went(plan, 'staging')).toHaveLength(3);
    const inUse = candidateKey(await scene.inputs('edition 1'));
    const left = await registry.tags(staging);
    for (const tag of left) await expectTag(atTag(staging, tag));
    expect(left.filter((tag) => tag.startsWith(inUse)).length).toBeGreaterThan(4);
    await expectWhole(scene);
  });
});

async function expectTag(reference: Reference) {
  const head = await registry.head(reference);
  await expectImage(reference, head!.digest);
}

test('nothing is deleted unless that is said', async () => {
  const { deps, releases } = setUp('dry');
  await releases(3);
  const methods: string[] = [];
  const watched = createRegistry({ http, onRequest: ({ method }) => methods.push(method) });

  const plan = await planPruning({ ...deps, registry: watched }, signal);

  expect(went(plan, 'releases')).toEqual(['12.0.0']);
  expect(methods.filter((method) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
});

test('what a pin, a child or a quarantine needs stays', async () => {
  const { scene, deps, releases } = setUp('needs', { images: CHILD });
  const all = await releases(6);
  scene.setTime('2026-01-02T00:00:00Z');
  await scene.release('child', { name: 'child', base: all[0]! });
  const downstream = join(folder, 'needs.git');
  const image = repositoryOf(scene.repository());
  await makeDownstream(downstream, {
    Dockerfile: `FROM ${image}:12.0.1@${all[1]!.digest}\n`,
    'job/Dockerfile': `FROM ${image}:12.0.2\n`,
  });
  const forge = createLocalForge({ now: () => new Date() });
  const quarantine = { image: 'base', repository: scene.repository(), what: '12.0.3', by: 'ada', reason: 'bad' };
  await quarantineRelease(quarantine, scene.deps, signal);

  const { plan } = await prune({ ...deps, downstreams: [forge.repository(downstream, {})] }, 'ada', signal);

  expect(why(plan, '12.0.0')).toContain('child 3.11.0 is built on it');
  expect(why(plan, '12.0.1')).toEqual([`pinned by ${downstream} (Dockerfile:1)`]);
  expect(why(plan, '12.0.2')).toEqual([`pinned by ${downstream} (job/Dockerfile:1)`]);
  expect(why(plan, '12.0.3')).toEqual(['it is quarantined, and its record is on it']);
  expect(went(plan, 'releases')).toEqual([]);
  await expectWhole(scene);
});

test('a downstream that cannot be asked keeps everything that it may pin', async () => {
  const { deps, releases, versions } = setUp('unknown');
  await releases(3);
  const forge = createLocalForge({ now: () => new Date() });

  const missing = forge.repository(join(folder, 'nowhere.git'), {});
  const { plan } = await prune({ ...deps, downstreams: [missing] }, 'ada', signal);

  expect(plan.unknown[0]).toContain('could not be asked');
  expect([...went(plan, 'releases'), ...went(plan, 'mirror')]).toEqual([]);
  expect(await versions()).toHaveLength(3);
});

function running(scene: ReleaseScene): Run {
  return {
    ...{ id: '1', image: 'base', inputs: scene.fleet.images[0]!.definition.x!, reasons: [], holds: [] },
    ...{ platforms: [], startedAt: '2026-11-30T23:00:00Z', steps: [] },
  };
}

test('a run that is under way keeps all of its image', async () => {
  const { scene, deps, releases, versions } = setUp('busy');
  await releases(3);
  const ledger = { ...deps.ledger, runs: async () => [running(scene)] };

  const { plan } = await prune({ ...deps, ledger }, 'ada', signal);

  expect(plan.items.filter(({ goes }) => goes)).toEqual([]);
  expect(why(plan, '12.0.0')).toEqual(['a run of base is under way']);
  expect(await versions()).toHaveLength(3);
});

test('a run that begins after the decision finds all that was there', async () => {
  const { scene, deps, releases, versions } = setUp('began');
  await releases(3);
  let asked = 0;
  const ledger = { ...deps.ledger, runs: async () => (asked++ === 0 ? [] : [running(scene)]) };

  const { plan, removed, problems } = await prune({ ...deps, ledger }, 'ada', signal);

  expect(went(plan, 'releases')).toEqual(['12.0.0']);
  expect([...new Set(problems.map((problem) => problem.replace(/^.*: left/, 'left')))]).toEqual([
    'left as it is: a run of base began meanwhile; prune again',
  ]);
  expect([removed, await versions()]).toEqual([0, ['12.0.0', '12.0.1', '12.0.2']]);
});

test('mirrored digests stay while a release needs them, or upstream points to them', async () => {
  const { scene, deps, releases, upstream } = setUp('mirror');
  const all = await releases(3);
  const mirror = scene.places.mirror(DEBIAN);
  const files = { 'etc/edition': 'new' };
  const platforms = ['linux/amd64', 'linux/arm64'] as const;
  await pushImage(registry, upstream, { platforms: [...platforms], files });
  const current = await pushImage(registry, mirror, { platforms: ['linux/amd64'], files });
  await registry.copy(atDigest(mirror, current.digest), atTag(mirror, mirrorTag(current.digest)));
  const of = ({ inputs }: Release) => Object.values(inputs!.inputs[0]!.platforms).map((digest) => digest!);
  const there = async (digests: readonly Digest[]) => {
    const heads = await Promise.all(digests.map((digest) => registry.head(atTag(mirror, mirrorTag(digest)))));
    return heads.map((head) => head !== undefined);
  };

  const { plan } = await prune(deps, 'ada', signal);

  // 12.0.0 goes, and its candidate with it; nothing else was built on its base
  expect(went(plan, 'releases')).toEqual(['12.0.0']);
  expect(await there(of(all[0]!))).toEqual([false, false]);
  expect(await there([...of(all[1]!), ...of(all[2]!), current.digest])).toEqual(Array(5).fill(true));
});

test('a copy of what tracked tags come to now is kept for the next build', async () => {
  const images = { tracks: 'line: "12"\nfrom: { image: debian, track: "12.x", suffix: -slim }\nuser: 10001\n' };
  const { scene, deps, upstream, releases } = setUp('tracked', { images });
  await releases(1);
  const mirror = scene.places.mirror(DEBIAN);
  const push = async (tag: string) => {
    const files = { 'etc/edition': tag };
    await pushImage(registry, atTag(upstream, tag), { index: true, files });
    const { digest } = await pushImage(registry, mirror, { files });
    await registry.copy(atDigest(mirror, digest), atTag(mirror, mirrorTag(digest)));
    return digest;
  };
  const [old, current] = [await push('12.8-slim'), await push('12.9-slim')];
  const sourceOf = ({ tag = '12-slim' }: Reference) => atTag(upstream, tag);

  const plan = await planPruning({ ...deps, sourceOf }, signal);

  const copies = plan.areas.filter(({ area }) => area === 'mirror').flatMap(({ decisions }) => decisions);
  const decisionOn = (digest: Digest) => copies.find(({ roots }) => roots.includes(digest));
  const why = ['docker.io/library/debian:{12.x}-slim points to it'];
  expect(decisionOn(current)).toMatchObject({ goes: false, why });
  expect(decisionOn(old)).toMatchObject({ goes: true });
});

test('an upstream that cannot be asked keeps all of its copies', async () => {
  const { scene, deps, releases } = setUp('unasked');
  await releases(3);
  const sourceOf = () => parseReference('127.0.0.1:1/gone:12');

  const plan = await planPruning({ ...deps, sourceOf }, signal);

  expect(went(plan, 'mirror')).toEqual([]);
  expect(went(plan, 'releases')).toEqual(['12.0.0']);
  await expectWhole(scene);
});

test('a candidate of unknown age counts its days from the first pruning on', async () => {
  const { scene, deps, releases, setTime } = setUp('undated');
  await releases(1);
  const staging = scene.places.staging('base');
  const key = 'a'.repeat(32);
  await pushImage(registry, atTag(staging, stagingTag.build(key, 'linux/amd64')), { files: { app: 'undated' } });
  const own = async () => (await registry.tags(staging)).filter((tag) => tag.startsWith(key));

  await prune(deps, 'ada', signal);
  expect(await own()).toHaveLength(2);
  await noteCandidate(registry, staging, 'b'.repeat(32), { now: new Date('2026-12-02T00:00:00Z'), signal });
  setTime('2026-12-31T00:00:00Z');
  await prune(deps, 'ada', signal);

  expect(await own()).toEqual([]);
});

test('what came into use since it was decided is left alone', async () => {
  const { scene, deps, releases, versions } = setUp('meanwhile');
  const all = await releases(3);
  let moved = false;
  const racing: Registry = {
    ...registry,
    async referrers(subject, options) {
      const found = await registry.referrers(subject, options);
      if (!moved && subject.digest === all[2]!.digest) {
        moved = true;
        const stored = await registry.manifest(atTag(scene.repository(), '12.0.0'));
        await registry.putManifest(atTag(scene.repository(), '12'), {
          mediaType: stored!.descriptor.mediaType,
          bytes: stored!.bytes,
        });
      }
      return found;
    },
  };

  const { problems } = await prune({ ...deps, registry: racing }, 'ada', signal);

  expect(problems.join()).toContain('came into use meanwhile');
  expect(await versions()).toHaveLength(3);
  await expectWhole(scene);
});

describe('killed at a removal', () => {
  test.each([1, 2, 4, 8, 12])('%i, the next call ends at the same', async (nth) => {
    const { scene, deps, releases, versions } = setUp(`killed-${nth}`);
    const [first] = await releases(3);
    let removals = 0;
    const dying: Registry = {
      ...registry,
      async remove(...args) {
        const result = await registry.remove(...args);
        removals += 1;
        if (removals >= nth) throw new Error('killed');
        return result;
      },
    };

    await prune({ ...deps, registry: dying }, 'ada', signal).catch(() => undefined);
    await expectWhole(scene);
    const { problems } = await prune(deps, 'ada', signal);

    expect(problems).toEqual([]);
    expect(await versions()).toEqual(['12.0.1', '12.0.2']);
    await expectGone(scene.repository(), first!);
    await expectWhole(scene);
  });
});
