import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { atDigest, atTag, parseReference, type Reference, repositoryOf } from '../../src/domain/reference.ts';
import type { Reason, Release } from '../../src/domain/staleness.ts';
import { attachInputs } from '../../src/flows/releases.ts';
import { replicateAll } from '../../src/flows/replicate.ts';
import { rollBack } from '../../src/flows/rollback.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { startDistribution, startReferrersRegistry, type TestRegistry } from '../support/registry.ts';
import { createReleaseScene } from '../support/release-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const signal = new AbortController().signal;
const NEWER: readonly Reason[] = [{ kind: 'requested', by: 'ada' }];

let standing: StandingScene;
let http: Http;
let folder: string;
let old: TestRegistry;
let modern: TestRegistry;
let registry: Registry;
beforeAll(async () => {
  standing = await startStandingScene();
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
  folder = await mkdtemp(join(tmpdir(), 'ingot-replica-'));
  [old, modern] = await Promise.all([startDistribution({ folder }), startReferrersRegistry()]);
  registry = createRegistry({ http, limits: { attempts: 1 } });
});
afterAll(async () => {
  await Promise.all([http?.close(), old?.stop(), modern?.stop(), standing?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** A fleet with two replicas: one with a list of referrers of its own, one without. */
function setUp(name: string, replicas = [old.address, modern.address]) {
  const bases = replicas.map((address) => `${address}/${name}`);
  const settings = `replicas: [${bases.join(', ')}]\nchannels: [{ name: stable }]\n`;
  const base = repositoryOf(standing.repository(name));
  const scene = createReleaseScene({ base, registry, ledger: standing.ledger, settings });
  const deps = { ...scene.deps, fleet: scene.fleet };
  const there = bases.map((each) => parseReference(`${each}/base`));
  return {
    scene,
    there,
    replicate: (parts = {}) => replicateAll({ ...deps, ...parts }, signal),
    tags: async (repository: Reference) =>
      (await registry.tags(repository)).filter((tag) => !tag.startsWith('sha256-') && tag !== 'ingot-marks'),
    at: async (tag: string) => {
      const heads = await Promise.all(there.map((each) => registry.head(atTag(each, tag))));
      return heads.map((head) => head?.digest);
    },
  };
}

async function typesOn(repository: Reference, { digest, platforms }: Release) {
  const subjects = [digest, ...Object.values(platforms)].map((each) => atDigest(repository, each!));
  const lists = await Promise.all(subjects.map((subject) => registry.referrers(subject)));
  return lists.map((list) =>
    list
      .map((each) => `${each.digest} ${each.annotations?.['dev.sigstore.bundle.predicateType'] ?? each.artifactType}`)
      .sort(),
  );
}

test('a release goes to every replica whole: platforms, signatures of both forms, all that refers to it', async () => {
  const { scene, there, replicate, tags, at } = setUp('whole');
  const { release } = await scene.release('one');

  const reports = await replicate();

  expect(reports.map(({ problems, unreachable }) => [...problems, unreachable])).toEqual([[undefined], [undefined]]);
  for (const { copied } of reports) expect(copied).toEqual([{ image: 'base', version: '12.0.0' }]);
  for (const replica of there) {
    expect(await tags(replica)).toEqual(['12', '12.0', '12.0.0', 'stable']);
    expect(await typesOn(replica, release)).toEqual(await typesOn(scene.repository(), release));
    for (const subject of [release.digest, ...Object.values(release.platforms)]) {
      expect(await scene.deps.attestor.verify(atDigest(replica, subject!))).toMatchObject({
        bundle: 'valid',
        legacy: 'valid',
        problems: [],
      });
    }
  }
  expect(await at('12')).toEqual(Array(2).fill(release.digest));
});

test('where nothing changed, nothing is written, and few requests are made', async () => {
  const { scene, replicate } = setUp('unchanged', [old.address]);
  await scene.release('one');
  await replicate();
  const asked: string[] = [];
  const counting = createRegistry({ http, onRequest: ({ method }) => asked.push(method) });
  await replicate({ registry: counting });
  asked.length = 0;

  const [report] = await replicate({ registry: counting });

  expect(report).toMatchObject({ copied: [], moved: [], problems: [] });
  expect(asked.filter((method) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
  expect(asked.length).toBeLessThanOrEqual(18);
});

test('tags at the replica move last, and only when the signatures verify there', async () => {
  const { scene, there, replicate, tags } = setUp('order', [old.address]);
  await scene.release('one');
  const written: string[] = [];
  const { attestor } = scene.deps;
  const watched = {
    ...registry,
    putManifest: (reference: Reference, ...rest: [Parameters<Registry['putManifest']>[1]]) => {
      if (reference.registry === old.address) written.push(reference.tag ?? 'digest');
      return registry.putManifest(reference, ...rest);
    },
  };
  const refusing = {
    ...attestor,
    verify: async (subject: Reference) => {
      const found = await attestor.verify(subject);
      return subject.registry === old.address ? { ...found, legacy: 'missing' as const } : found;
    },
  };

  const [refused] = await replicate({ registry: watched, attestor: refusing });

  expect(refused!.problems[0]!.message).toContain('legacy signature missing');
  expect(await tags(there[0]!)).toEqual([]);
  written.length = 0;
  await replicate({ registry: watched });
  expect(written.filter((tag) => /^[\ds]/.test(tag) && !tag.startsWith('sha256'))).toEqual([
    '12.0.0',
    'stable',
    '12.0',
    '12',
  ]);
});

test('a replica that is down holds up no other, and catches up when it is back', async () => {
  const { scene, there, replicate, at } = setUp('down');
  await scene.release('one');
  await replicate();
  await old.stop();
  const { release: two } = await scene.release('two', { reasons: NEWER });

  const [down, up] = await replicate();

  expect(down).toMatchObject({ copied: [], problems: [] });
  expect(down!.unreachable).toContain(`${old.address} cannot be reached`);
  expect(up).toMatchObject({ copied: [{ image: 'base', version: '12.0.1' }], problems: [] });
  expect((await registry.head(atTag(there[1]!, 'stable')))!.digest).toBe(two.digest);

  const { release: three } = await scene.release('three', { reasons: NEWER });
  old = await startDistribution({ folder, address: old.address });
  const [back] = await replicate();

  expect(back!.copied.map(({ version }) => version)).toEqual(['12.0.2', '12.0.1']);
  expect(await at('12')).toEqual(Array(2).fill(three.digest));
  expect(await at('12.0.1')).toEqual(Array(2).fill(two.digest));
});

test('a rollback moves the channels back there as well, and warns on the image', async () => {
  const { scene, there, replicate, at } = setUp('rollback');
  const { release: one } = await scene.release('one');
  scene.setTime('2026-03-02T00:00:00Z');
  const { release: two } = await scene.release('two', { reasons: NEWER });
  await replicate();
  const request = {
    image: scene.image(),
    repository: scene.repository(),
    channels: ['stable'],
    by: 'ada',
    reason: 'bad',
  };
  await rollBack(request, scene.deps, signal);

  const reports = await replicate();

  expect(reports.map(({ moved }) => moved.map(({ channel, version }) => `${channel} ${version}`))).toEqual(
    Array(2).fill(['stable 12.0.0', '12.0 12.0.0', '12 12.0.0']),
  );
  expect(await at('12')).toEqual(Array(2).fill(one.digest));
  for (const replica of there) {
    const types = await registry.referrers(atDigest(replica, two.digest));
    expect(types.map(({ artifactType }) => artifactType)).toContain('application/vnd.ingot.quarantine.v1+json');
  }
});

test('a quarantined release that a replica lacks is not sent there', async () => {
  const { scene, replicate, at } = setUp('barred', [old.address]);
  await scene.release('one');
  scene.setTime('2026-03-02T00:00:00Z');
  await scene.release('two', { reasons: NEWER });
  const request = {
    image: scene.image(),
    repository: scene.repository(),
    channels: ['stable'],
    by: 'ada',
    reason: 'bad',
  };
  await rollBack(request, scene.deps, signal);

  const [report] = await replicate();

  expect(report!.copied.map(({ version }) => version)).toEqual(['12.0.0']);
  expect(await at('12.0.1')).toEqual([undefined]);
});

test('what is attached to the release in use later follows', async () => {
  const { scene, there, replicate } = setUp('later');
  const { release } = await scene.release('one');
  await replicate();
  const at = atDigest(scene.repository(), release.digest);
  const more = { ...release.inputs!, requestedAt: '2026-03-03T00:00:00Z' };
  await attachInputs(registry, at, more, { createdAt: '2026-03-03T00:00:00Z' });

  await replicate();

  for (const replica of there) {
    expect(await typesOn(replica, release)).toEqual(await typesOn(scene.repository(), release));
  }
});

test('a version that is another image there is left alone, and said', async () => {
  const { scene, there, replicate } = setUp('taken', [old.address]);
  await scene.release('one');
  const other = setUp('taken-other', [old.address]);
  const { release: foreign } = await other.scene.release('other');
  await registry.copy(atDigest(other.scene.repository(), foreign.digest), atTag(there[0]!, '12.0.0'));

  const [report] = await replicate();

  expect(report!.copied).toEqual([]);
  expect(report!.problems[0]!.message).toContain(':12.0.0 is another image there and is not overwritten');
  expect((await registry.head(atTag(there[0]!, '12.0.0')))!.digest).toBe(foreign.digest);
});

describe('killed at a write', () => {
  test.each([1, 6, 12, 18, 20])('%i, the next call ends at the same', async (nth) => {
    const { scene, there, replicate, tags } = setUp(`killed-${nth}`, [old.address]);
    const { release } = await scene.release('one');
    let puts = 0;
    const dying = {
      ...registry,
      async putManifest(...args: Parameters<Registry['putManifest']>) {
        const result = await registry.putManifest(...args);
        puts += 1;
        if (puts >= nth) throw new Error('killed');
        return result;
      },
    };
    await replicate({ registry: dying }).catch(() => undefined);
    const before = await tags(there[0]!);
    if (before.includes('12.0.0'))
      expect(await typesOn(there[0]!, release)).toEqual(await typesOn(scene.repository(), release));

    const [report] = await replicate();

    expect(report!.problems).toEqual([]);
    expect(await tags(there[0]!)).toEqual(['12', '12.0', '12.0.0', 'stable']);
    expect(await typesOn(there[0]!, release)).toEqual(await typesOn(scene.repository(), release));
  });
});
