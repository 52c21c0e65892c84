import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDownstream } from '../../scripts/demo/downstream.ts';
import { rollbackCommand } from '../../src/commands/rollback.ts';
import { unquarantineCommand } from '../../src/commands/standing.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { planFleet } from '../../src/domain/plan.ts';
import { atTag } from '../../src/domain/reference.ts';
import { gatherFacts } from '../../src/flows/gather.ts';
import { readTag } from '../../src/flows/releases.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { runFleet, withFleet } from '../support/run-fleet.ts';

let scene: FleetScene;
let factory: TestFactory;
const lines: string[] = [];
const output = { line: (text: string) => void lines.push(text), json() {}, progress: process.stderr };
const options = { json: false, signal: new AbortController().signal, image: 'base' };

/** A base and its child, each released twice; the second base is bad. */
beforeAll(async () => {
  scene = await startFleetScene();
  factory = await scene.factory('rollback');
  await factory.publish('first');
  await runFleet(factory.root);
  await factory.publish('second');
  await runFleet(factory.root);
});
afterAll(() => scene?.stop());

const digestOf = async (image: string, tag: string): Promise<Digest | undefined> =>
  (await scene.registry.head(atTag(factory.repository(image), tag)))?.digest;

const outcomes = async () => {
  const { runs } = await runFleet(factory.root);
  return { runs, ended: runs.map(({ image, outcome, version }) => [image, outcome, version]) };
};

test('one command takes the channels back, and opens a pull request for who is pinned to the bad release', async () => {
  const pin = `${factory.base}/base:12.0.1@${await digestOf('base', '12.0.1')}`;
  await makeDownstream(factory.downstream, { Dockerfile: `FROM ${pin}\n` });

  const code = await withFleet(factory.root, (app) =>
    rollbackCommand(app, output, { ...options, reason: 'it crashes', by: 'ada' }),
  );

  expect(code).toBe(0);
  expect(lines).toEqual([
    'base is back at 12.0.0: stable, 12.0, 12 moved',
    'quarantined: 12.0.1; the same inputs and the same content are not released again',
    expect.stringContaining('opened: Move golden base back to 12.0.0'),
  ]);
  const good = await digestOf('base', '12.0.0');
  for (const tag of ['stable', '12.0', '12']) expect(await digestOf('base', tag)).toBe(good);
});

test('the next cycle holds the image, says why, and builds its child on the release that is in use again', async () => {
  const { ended } = await outcomes();
  const plan = await withFleet(factory.root, async ({ cycle }) => planFleet(await gatherFacts(cycle, options.signal)));

  expect(ended).toEqual([['child', 'released', '3.11.2']]);
  expect(plan.map(({ image, state, holds }) => [image, state, holds.map(({ kind }) => kind)])).toEqual([
    ['base', 'held', ['quarantined-result']],
    ['child', 'fresh', []],
  ]);
  const child = await readTag(scene.registry, atTag(factory.repository('child'), '3.11'), {});
  expect(child?.inputs?.inputs[0]).toMatchObject({ name: 'golden/base', digest: await digestOf('base', '12.0.0') });
  const first = await readTag(scene.registry, atTag(factory.repository('child'), '3.11.0'), {});
  expect(child?.platforms).toEqual(first?.platforms);
});

test('a cycle after that has nothing to do', async () => {
  const { ended } = await outcomes();

  expect(ended).toEqual([]);
});

test('the same content by other inputs is blocked, with the reason, and not tried again', async () => {
  await factory.write({
    'images/base/Dockerfile': '# a comment changes nothing\nFROM debian:12-slim\nCOPY motd /etc/motd\nUSER 10001\n',
  });

  const { runs } = await outcomes();

  expect(runs.map(({ image, outcome, summary }) => [image, outcome, summary])).toEqual([
    [
      'base',
      'blocked',
      'the same content as 12.0.1, which ada quarantined: it crashes; "ingot unquarantine base 12.0.1" lifts it',
    ],
  ]);
  expect((await outcomes()).ended).toEqual([]);
});

test('lifted, it is released by the next cycle under a new version', async () => {
  await withFleet(factory.root, (app) => unquarantineCommand(app, output, { ...options, what: '12.0.1' }));

  const { ended } = await outcomes();

  expect(ended).toEqual([
    ['base', 'released', '12.1.0'],
    ['child', 'released', expect.stringMatching(/^3\.11\.3$/)],
  ]);
  expect(await digestOf('base', '12')).toBe(await digestOf('base', '12.1.0'));
});
