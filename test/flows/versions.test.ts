import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { atTag, formatReference } from '../../src/domain/reference.ts';
import { readMarks } from '../../src/flows/marks.ts';
import { takeVersion } from '../../src/flows/versions.ts';
import { exec } from '../../src/lib/exec.ts';
import { pushRelease, type StandingScene, startStandingScene } from '../support/standing-scene.ts';

let scene: StandingScene;
beforeAll(async () => {
  scene = await startStandingScene();
});
afterAll(() => scene?.stop());

function setUp(name: string) {
  const repository = scene.repository(name);
  const deps = { registry: scene.registry, ledger: scene.ledger, now: () => new Date('2026-11-01T00:00:00Z') };
  const request = { line: '12', channels: ['stable'], reasons: [{ kind: 'never-released' }] } as const;
  const take = (key: string, more: Partial<typeof deps> = {}, released: readonly string[] = []) =>
    takeVersion(repository, { ...request, key, released }, { ...deps, ...more }, new AbortController().signal);
  return { repository, take };
}

test('each candidate is given a version of its own, before there is a tag', async () => {
  const { take } = setUp('each');

  expect([await take('a'), await take('b'), await take('c')]).toEqual(['12.0.0', '12.0.1', '12.0.2']);
});

test('a candidate whose run was killed is given the same again', async () => {
  const { take, repository } = setUp('again');

  expect([await take('a'), await take('a')]).toEqual(['12.0.0', '12.0.0']);
  expect(await readMarks(scene.registry, repository, {})).toHaveLength(1);
});

test('a version is not given again once its tag was there, not even to the same candidate', async () => {
  const { take, repository } = setUp('deleted');
  const version = await take('a');
  const digest = await pushRelease(scene.registry, repository, version);
  expect(await take('a')).toBe('12.0.1');

  await scene.registry.remove({ ...repository, digest });

  expect(await scene.registry.head(atTag(repository, version))).toBeUndefined();
  expect(await take('b')).toBe('12.0.2');
});

test('what runs released counts when the registry lost everything', async () => {
  const { take } = setUp('lost');

  expect(await take('a', {}, ['12.3.0', '12.4.1'])).toBe('12.4.2');
});

test('what is behind a channel counts when all version tags are gone', async () => {
  const { take, repository } = setUp('behind');
  const digest = await pushRelease(scene.registry, repository, '12.4.1');
  const stored = await scene.registry.manifest({ ...repository, digest });
  const { mediaType } = stored!.descriptor;
  await scene.registry.remove({ ...repository, digest });
  await scene.registry.putManifest(atTag(repository, 'stable'), { mediaType, bytes: stored!.bytes });

  expect(await take('a')).toBe('12.4.2');
});

test('two that share no Redis and decide at the same moment get two versions', async () => {
  const { take } = setUp('apart');
  const free = { lock: async () => ({ fence: 1, isHeld: () => true, release: async () => {} }) };

  const given = await Promise.all(['a', 'b', 'c'].map((key) => take(key, { ledger: { ...scene.ledger, ...free } })));

  expect(new Set(given).size).toBe(3);
});

test('processes that race for a version each get one, without a gap', async () => {
  const { repository } = setUp('race');
  const script = join(import.meta.dirname, '..', 'support', 'standing-process.ts');
  const args = (key: string) => [script, 'version', scene.redis, formatReference(repository), key];

  const ends = await Promise.all(['a', 'b', 'c', 'd'].map((key) => exec(process.execPath, args(key), {})));

  expect(ends.map(({ stdout }) => Buffer.from(stdout).toString().trim()).sort()).toEqual([
    '12.0.0',
    '12.0.1',
    '12.0.2',
    '12.0.3',
  ]);
});
