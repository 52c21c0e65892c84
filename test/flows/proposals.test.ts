import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDownstream } from '../../scripts/demo/downstream.ts';
import { createPinRules } from '../../src/domain/bump/rules.ts';
import { atTag, repositoryOf } from '../../src/domain/reference.ts';
import { bumpFiles, listPins } from '../../src/flows/folder-pins.ts';
import { createProposer, findFolderReleases } from '../../src/flows/proposals.ts';
import type { ForgeRepository } from '../../src/forge/forge.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { createStageScene, type StageScene } from '../support/stage-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const { signal } = new AbortController();

let scene: StandingScene;
let folder: string;
beforeAll(async () => {
  scene = await startStandingScene();
  folder = await mkdtemp(join(tmpdir(), 'ingot-proposals-'));
});
afterAll(async () => {
  await scene?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Releases 12.0.0 and 12.0.1, with `stable` still at the first. */
async function staged(name: string): Promise<StageScene> {
  const stages = createStageScene(scene, name, 'channels: [{ name: stable, after: 24h }]\n');
  await stages.release('12.0.0', { channels: ['stable'] });
  await stages.release('12.0.1');
  return stages;
}

async function downstream(stages: StageScene, name: string, dockerfile: string): Promise<ForgeRepository> {
  const path = join(folder, `${name}.git`);
  await makeDownstream(path, { Dockerfile: dockerfile.replaceAll('IMAGE', repositoryOf(stages.repository)) });
  return createLocalForge({ now: () => new Date('2026-03-01T00:00:00Z') }).repository(path);
}

async function propose({ deps, image }: StageScene, repository: ForgeRepository, channel?: string) {
  const unused = async () => {
    throw new Error('nothing of these releases was catalogued');
  };
  const propose = createProposer({
    now: () => new Date('2027-01-01T00:00:00Z'),
    ...{ registry: deps.registry, places: deps.places, fleet: { settings: deps.settings, images: [image] } },
    downstreams: { list: async () => [repository], follows: () => channel },
    cataloguer: { name: 'none', catalogue: unused, packages: () => [] },
    scanner: { name: 'none', scan: unused, database: unused },
  });
  const { results } = await propose(image.name, signal);
  return results.map(({ action, title }) => [action, ...(title ? [title] : [])]);
}

const digestOf = async ({ repository }: StageScene, tag: string) =>
  (await scene.registry.head(atTag(repository, tag)))!.digest;

test('a downstream is told of the newest release, one that follows a channel of what is there', async () => {
  const stages = await staged('follow');

  const newest = await downstream(stages, 'newest', 'FROM IMAGE:12.0.0\n');
  const follower = await downstream(stages, 'follower', 'FROM IMAGE:12.0.0\n');

  expect(await propose(stages, newest)).toEqual([['opened', 'Bump golden base to 12.0.1']]);
  expect(await propose(stages, follower, 'stable')).toEqual([['none']]);
});

test('one that follows a channel is told once the channel moved', async () => {
  const stages = await staged('moved');
  const follower = await downstream(stages, 'moved', 'FROM IMAGE:12.0.0\n');
  await stages.release('12.0.2', { channels: ['stable'] });

  expect(await propose(stages, follower, 'stable')).toEqual([['opened', 'Bump golden base to 12.0.2']]);
});

test('a pin on a channel keeps the digest of the channel, not of a release that is not there yet', async () => {
  const stages = await staged('pinned');
  const digest = await digestOf(stages, 'stable');

  const pinned = await downstream(stages, 'pinned', `FROM IMAGE:stable@${digest}\n`);

  expect(await propose(stages, pinned)).toEqual([['none']]);
});

test('a channel that points nowhere proposes nothing', async () => {
  const stages = createStageScene(scene, 'nowhere', 'channels: [{ name: stable, after: 24h }]\n');
  await stages.release('12.0.0');
  const follower = await downstream(stages, 'nowhere', 'FROM IMAGE:11.0.0\n');

  expect(await propose(stages, follower, 'stable')).toEqual([]);
});

test('pins of a folder are compared with what the registry has, and moved as far as their policy lets them', async () => {
  const stages = await staged('folder');
  const { deps, image, repository } = stages;
  const name = repositoryOf(repository);
  const first = await digestOf(stages, '12.0.0');
  await stages.release('12.1.0');
  const fleet = { settings: deps.settings, images: [image] };
  const facts = { registry: deps.registry, places: deps.places, fleet, now: () => new Date('2027-01-01T00:00:00Z') };
  const releases = await findFolderReleases(facts, (each) => each === name, signal);
  const content = Buffer.from(`FROM ${name}@${first} AS a\n# ingot: patch\nFROM ${name}:12.0.0\n`);
  const files = [{ path: 'Dockerfile', content }];

  const listed = await listPins(files, createPinRules([]), () => true, releases);
  const bumped = await bumpFiles(files, createPinRules([]), releases);

  expect(listed.map(({ version, behind }) => [version, behind])).toEqual([
    ['12.0.0', 2],
    ['12.0.0', 2],
  ]);
  expect(Buffer.from(bumped.files[0]!.after).toString()).toBe(
    `FROM ${name}@${await digestOf(stages, '12.1.0')} AS a\n# ingot: patch\nFROM ${name}:12.0.1\n`,
  );
});
