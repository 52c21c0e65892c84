import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainWait } from '../../src/domain/channel-stages.ts';
import { readMarks } from '../../src/flows/marks.ts';
import { approve, askGatesAgain, openFreeze, promote } from '../../src/flows/promote.ts';
import { moveStages } from '../../src/flows/stages.ts';
import { createStageScene, type StageScene } from '../support/stage-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const { signal } = new AbortController();
const SOAK = 'channels: [{ name: edge }, { name: stable, after: 24h }]\n';

let scene: StandingScene;
let folder: string;
beforeAll(async () => {
  scene = await startStandingScene();
  folder = await mkdtemp(join(tmpdir(), 'ingot-stages-'));
});
afterAll(async () => {
  await scene?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function move({ image, deps }: StageScene) {
  const [report] = await moveStages([image], deps, signal);
  if (report === undefined) return undefined;
  const waiting = report.decisions.flatMap(({ channel, waiting: releases }) =>
    releases.map(({ release, waits }) => `${channel}: ${release.version} ${waits.map(explainWait).join(', ')}`),
  );
  return { moved: report.moved, waiting, problems: report.problems };
}

describe('a channel with a soak time', () => {
  test('moves when the time has come, once, and says so in the journal', async () => {
    const stages = createStageScene(scene, 'soak', SOAK);
    await stages.release('12.0.0', { channels: ['edge'] });

    expect(await move(stages)).toEqual({
      ...{ moved: [], problems: [] },
      waiting: ['stable: 12.0.0 soaks until 2026-03-02 00:00 UTC'],
    });
    stages.setTime('2026-03-02T00:00:00Z');
    expect(await move(stages)).toEqual({ moved: [{ channel: 'stable', to: '12.0.0' }], waiting: [], problems: [] });
    expect(await stages.at('stable')).toBe('12.0.0');
    expect(await move(stages)).toBeUndefined();
    const marks = await readMarks(scene.registry, stages.repository, {});
    expect(marks).toMatchObject([{ kind: 'channel', channel: 'stable', version: '12.0.0', by: 'ingot' }]);
  });

  test('moves to the newest that has soaked while a newer one does', async () => {
    const stages = createStageScene(scene, 'newer', SOAK);
    await stages.release('12.0.0', { channels: ['edge', 'stable'] });
    await stages.release('12.0.1', { channels: ['edge'] });
    stages.setTime('2026-03-01T20:00:00Z');
    await stages.release('12.0.2', { channels: ['edge'] });
    stages.setTime('2026-03-02T01:00:00Z');

    expect(await move(stages)).toEqual({
      ...{ moved: [{ channel: 'stable', from: '12.0.0', to: '12.0.1' }], problems: [] },
      waiting: ['stable: 12.0.2 soaks until 2026-03-02 20:00 UTC'],
    });
  });

  test('never moves onto what does not verify', async () => {
    const stages = createStageScene(scene, 'unsigned', SOAK);
    await stages.release('12.0.0', { channels: ['edge'], signed: false });
    stages.setTime('2026-03-03T00:00:00Z');

    expect((await move(stages))?.problems).toEqual([expect.stringContaining('the signature does not verify')]);
    expect(await stages.at('stable')).toBeUndefined();
  });

  test('passes over what others pushed under a version', async () => {
    const stages = createStageScene(scene, 'foreign', SOAK);
    await stages.release('12.0.0', { channels: ['edge'] });
    await stages.release('12.0.1', { channels: ['edge'], annotations: { 'io.ingot.inputs.digest': '' } });
    stages.setTime('2026-03-03T00:00:00Z');

    expect((await move(stages))?.moved).toEqual([{ channel: 'stable', to: '12.0.0' }]);
  });

  test('goes no further than the line, which may have been turned back', async () => {
    const stages = createStageScene(scene, 'turned', SOAK);
    await stages.release('12.0.1', { channels: ['edge'] });
    await stages.release('12.0.0', { channels: ['edge'] });
    stages.setTime('2026-03-03T00:00:00Z');

    expect((await move(stages))?.moved).toEqual([{ channel: 'stable', to: '12.0.0' }]);
  });
});

test('nothing is asked of a fleet whose channels all move with releases', async () => {
  const stages = createStageScene(scene, 'plain', 'channels: [{ name: stable }]\n');
  await stages.release('12.0.0');

  expect(await move(stages)).toBeUndefined();
});

test('a registry that cannot be asked is a problem of that image alone', async () => {
  const stages = createStageScene(scene, 'down', SOAK);
  const places = { ...stages.deps.places, release: () => ({ registry: '127.0.0.1:1', repository: 'x' }) };

  const [report] = await moveStages([stages.image], { ...stages.deps, places }, signal);

  expect(report).toMatchObject({ image: 'base', moved: [], problems: [expect.any(String)] });
});

describe('a gate after the release', () => {
  const gated = (script: string) =>
    `channels: [{ name: edge }, { name: stable, gates: [canary] }]\ngates: [{ name: canary, when: after, command: [sh, -c, '${script}'] }]\n`;

  test('is asked once, and its word is kept with the release', async () => {
    const asked = join(folder, 'asked');
    const stages = createStageScene(scene, 'gate', gated(`echo $INGOT_VERSION >> ${asked}`));
    await stages.release('12.0.0', { channels: ['edge'] });

    expect((await move(stages))?.moved).toEqual([{ channel: 'stable', to: '12.0.0' }]);
    expect(await move(stages)).toBeUndefined();
    expect(await readFile(asked, 'utf8')).toBe('12.0.0\n');
  });

  test('that refuses keeps the release out, and is not asked again', async () => {
    const asked = join(folder, 'refused');
    const stages = createStageScene(scene, 'refuse', gated(`echo x >> ${asked}; echo too slow; exit 1`));
    await stages.release('12.0.0', { channels: ['edge'] });

    const first = await move(stages);

    expect(first?.waiting).toEqual(['stable: 12.0.0 failed the gate canary: exit 1: too slow']);
    expect(await move(stages)).toEqual(first);
    expect(await readFile(asked, 'utf8')).toBe('x\n');
  });

  test('that refused by mistake can be asked again by hand', async () => {
    const script = join(folder, 'flaky');
    await writeFile(script, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const stages = createStageScene(scene, 'flaky', gated(`exec ${script}`));
    await stages.release('12.0.0', { channels: ['edge'] });
    expect((await move(stages))?.moved).toEqual([]);

    await writeFile(script, '#!/bin/sh\n');
    stages.setTime('2026-03-01T01:00:00Z');
    const { version, results } = await askGatesAgain(stages, stages.deps, signal);

    expect([version, results.map(({ gate, passed }) => [gate, passed])]).toEqual(['12.0.0', [['canary', true]]]);
    expect((await move(stages))?.moved).toEqual([{ channel: 'stable', to: '12.0.0' }]);
  });

  test('that could not be asked is asked again', async () => {
    const script = join(folder, 'later');
    const stages = createStageScene(scene, 'later', gated(`exec ${script}`));
    await stages.release('12.0.0', { channels: ['edge'] });

    expect((await move(stages))?.problems).toEqual([expect.stringContaining('could not be asked')]);
    await writeFile(script, '#!/bin/sh\n', { mode: 0o755 });
    expect((await move(stages))?.moved).toEqual([{ channel: 'stable', to: '12.0.0' }]);
  });
});

describe('by hand', () => {
  const hand = (stages: StageScene, by = 'ada') => ({ image: stages.image, by, reason: 'because' });

  test('an approval lets a release in at the next cycle', async () => {
    const stages = createStageScene(scene, 'approve', 'channels: [{ name: lts, approval: { by: [ada] } }]\n');
    await stages.release('12.0.0');
    expect((await move(stages))?.waiting).toEqual(['lts: 12.0.0 waits for an approval of ada']);

    const request = { ...hand(stages), channel: 'lts', version: '12.0.0' };
    await expect(approve({ ...request, by: 'eve' }, stages.deps, signal)).rejects.toThrow('eve may not approve');
    await approve(request, stages.deps, signal);

    expect((await move(stages))?.moved).toEqual([{ channel: 'lts', to: '12.0.0' }]);
  });

  test('a soak time is skipped, and the journal says who did it', async () => {
    const stages = createStageScene(scene, 'skip', SOAK);
    await stages.release('12.0.0', { channels: ['edge'] });

    const result = await promote({ ...hand(stages), channel: 'stable', emergency: false }, stages.deps, signal);

    expect(result).toEqual({ channel: 'stable', version: '12.0.0', moved: true, overruled: [] });
    const marks = await readMarks(scene.registry, stages.repository, {});
    expect(marks).toMatchObject([{ kind: 'channel', channel: 'stable', by: 'ada', reason: 'because' }]);
  });

  test('a freeze takes an emergency, which leaves a mark of its own', async () => {
    const freeze = 'freezes: [{ from: 2026-02-28, until: 2026-03-05, why: the fair }]\n';
    const stages = createStageScene(scene, 'frozen', `channels: [{ name: stable }]\n${freeze}`);
    await stages.release('12.0.0');
    expect((await move(stages))?.waiting).toEqual([
      'stable: 12.0.0 is frozen out until 2026-03-06 00:00 UTC: the fair',
    ]);

    const request = { ...hand(stages), channel: 'stable', emergency: false };
    await expect(promote(request, stages.deps, signal)).rejects.toThrow('--emergency');
    const { moved, overruled } = await promote({ ...request, emergency: true }, stages.deps, signal);

    expect([moved, overruled.map(({ kind }) => kind)]).toEqual([true, ['frozen']]);
    const marks = await readMarks(scene.registry, stages.repository, {});
    expect(marks.map(({ kind, note }) => [kind, note])).toEqual([
      ['approval', 'emergency'],
      ['channel', undefined],
    ]);
  });

  test('an image is let through a freeze of everything for a day', async () => {
    const stages = createStageScene(scene, 'open', SOAK);

    const until = await openFreeze(hand(stages), stages.deps, signal);

    expect(until).toBe('2026-03-02T00:00:00.000Z');
    expect(await readMarks(scene.registry, stages.repository, {})).toMatchObject([{ note: 'emergency', until }]);
  });

  test.each([
    ['a channel that is not there', { channel: 'prod' }, 'there is no channel "prod"; ingot.yaml has edge, stable'],
    ['a version that is not there', { version: '12.0.7' }, 'base has no release 12.0.7 that ingot made'],
    ['a way back', { version: '12.0.0' }, '"ingot rollback" goes back'],
  ])('%s is a mistake', async (name, change, words) => {
    const stages = createStageScene(scene, name.replaceAll(' ', '-'), SOAK);
    await stages.release('12.0.0', { channels: ['edge'] });
    await stages.release('12.0.1', { channels: ['edge', 'stable'] });

    const request = { ...hand(stages), channel: 'stable', emergency: false, ...change };

    await expect(promote(request, stages.deps, signal)).rejects.toThrow(words);
  });
});
