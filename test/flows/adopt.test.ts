import { afterAll, beforeAll, expect, test } from 'vitest';
import { atTag } from '../../src/domain/reference.ts';
import { adopt, readAdoption, refuseForeign } from '../../src/flows/adopt.ts';
import { readMarks } from '../../src/flows/marks.ts';
import { readRelease } from '../../src/flows/releases.ts';
import { takeVersion } from '../../src/flows/versions.ts';
import { pushImage } from '../support/images.ts';
import { createStageScene, type StageScene } from '../support/stage-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const { signal } = new AbortController();

let scene: StandingScene;
beforeAll(async () => {
  scene = await startStandingScene();
});
afterAll(() => scene?.stop());

/** A repository as a Makefile and `docker push` leave it. */
async function foreign(name: string): Promise<StageScene> {
  const stages = createStageScene(scene, name, 'channels: [{ name: edge }, { name: stable, after: 24h }]\n');
  for (const [tag, edition] of [
    ['12.0.7', 'a'],
    ['12.1.0', 'b'],
    ['12', 'b'],
    ['stable', 'a'],
    ['latest', 'b'],
  ] as const) {
    await pushImage(scene.registry, atTag(stages.repository, tag), { files: { 'etc/edition': edition } });
  }
  return stages;
}

async function tagsOf({ repository }: StageScene) {
  const tags = (await scene.registry.tags(repository)).filter(
    (tag) => tag !== 'ingot-marks' && !tag.startsWith('sha256-'),
  );
  const heads = await Promise.all(tags.map((tag) => scene.registry.head(atTag(repository, tag))));
  return tags.map((tag, index) => [tag, heads[index]?.digest]);
}

test('what a release would change is shown, and nothing is touched', async () => {
  const stages = await foreign('shown');
  const before = await tagsOf(stages);

  const adoption = await readAdoption(stages.image, stages.deps, signal);

  expect(adoption).toMatchObject({
    versions: [{ tag: '12.0.7', signed: false }, { tag: '12.1.0' }],
    moves: [{ tag: '12', own: false, signed: false }],
    later: [{ tag: 'stable' }],
    ...{ makes: ['edge', '12.1', '12.1.1'], leaves: ['latest'], nextVersion: '12.1.1', open: ['12', 'stable'] },
  });
  expect(await tagsOf(stages)).toEqual(before);
  expect(await readMarks(scene.registry, stages.repository, {})).toEqual([]);
});

test('a release is refused until a person says yes', async () => {
  const stages = await foreign('refused');

  const refusal = await refuseForeign(stages, stages.deps, signal);
  await adopt(stages.image, await readAdoption(stages.image, stages.deps, signal), 'ada', stages.deps, signal);

  expect(refusal).toEqual({
    outcome: 'blocked',
    summary:
      'the tags 12, stable were not made by ingot, and a release would move them; "ingot adopt base" shows what would change and "--yes" lets it',
  });
  expect(await refuseForeign(stages, stages.deps, signal)).toBeUndefined();
});

test('adopting moves nothing, and twice is once', async () => {
  const stages = await foreign('twice');
  const before = await tagsOf(stages);
  const again = async () =>
    adopt(stages.image, await readAdoption(stages.image, stages.deps, signal), 'ada', stages.deps, signal);

  await again();
  const marks = await readMarks(scene.registry, stages.repository, {});
  await again();

  expect(marks.map(({ kind, version, channel }) => [kind, version ?? channel])).toEqual([
    ['version', '12.0.7'],
    ['version', '12.1.0'],
    ['adopted', '12'],
    ['adopted', 'stable'],
  ]);
  expect(await readMarks(scene.registry, stages.repository, {})).toEqual(marks);
  expect(await tagsOf(stages)).toEqual(before);
});

test('the next version is above those of others, also when they delete their tags', async () => {
  const stages = await foreign('above');
  await adopt(stages.image, await readAdoption(stages.image, stages.deps, signal), 'ada', stages.deps, signal);
  const head = await scene.registry.head(atTag(stages.repository, '12.1.0'));
  await scene.registry.remove({ ...stages.repository, digest: head!.digest });

  const request = { line: '12', channels: ['edge'], key: 'k', reasons: [] };

  expect(await takeVersion(stages.repository, request, stages.deps, signal)).toBe('12.1.1');
});

test('a release of ingot is no stranger', async () => {
  const stages = createStageScene(scene, 'own', 'channels: [{ name: edge }]\n');
  await stages.release('12.0.0', { channels: ['edge'] });

  expect(await refuseForeign(stages, stages.deps, signal)).toBeUndefined();
  const release = await readRelease(scene.registry, stages.repository, stages.image, { signal });
  expect(release).not.toHaveProperty('value.foreign');
});

test('what others made is read as foreign', async () => {
  const stages = await foreign('foreign');

  const release = await readRelease(scene.registry, stages.repository, stages.image, { signal });

  expect(release).toMatchObject({ state: 'known', value: { foreign: true } });
});
