import { afterAll, beforeAll, expect, test } from 'vitest';
import { stageDeps } from '../../src/commands/flow-deps.ts';
import { atTag } from '../../src/domain/reference.ts';
import { adopt, readAdoption } from '../../src/flows/adopt.ts';
import { approve } from '../../src/flows/promote.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { pushImage } from '../support/images.ts';
import { runFleet, withFleet } from '../support/run-fleet.ts';

const { signal } = new AbortController();

let scene: FleetScene;
beforeAll(async () => {
  scene = await startFleetScene();
});
afterAll(() => scene?.stop());

/** A fleet of one image whose settings end with what a test gives. */
async function makeFactory(name: string, settings: Readonly<Record<string, unknown>>): Promise<TestFactory> {
  const factory = await scene.factory(name, { only: 'base', settings });
  await factory.publish('first');
  return factory;
}

async function digestAt(factory: TestFactory, tag: string): Promise<string | undefined> {
  return (await scene.registry.head(atTag(factory.repository('base'), tag)))?.digest;
}

const outcomes = ({ runs }: Awaited<ReturnType<typeof runFleet>>) =>
  runs.map(({ outcome, version }) => [outcome, version]);

test('a release comes to the first channel at once, to the next when a person says so', async () => {
  const channels = [{ name: 'edge' }, { name: 'lts', approval: true }];
  const factory = await makeFactory('approved', { channels });

  const first = await runFleet(factory.root);
  const before = [await digestAt(factory, 'edge'), await digestAt(factory, 'lts')];
  await withFleet(factory.root, async (app) => {
    const [image] = app.fleet.images;
    const request = { image: image!, by: 'ada', reason: 'tried it', channel: 'lts', version: '12.0.0' };
    await approve(request, stageDeps(app), signal);
  });
  const second = await runFleet(factory.root);

  expect(outcomes(first)).toEqual([['released', '12.0.0']]);
  expect(before).toEqual([await digestAt(factory, '12.0.0'), undefined]);
  expect(second.runs).toEqual([]);
  expect(second.stages).toEqual([{ image: 'base', moved: [{ channel: 'lts', to: '12.0.0' }], problems: [] }]);
  expect(await digestAt(factory, 'lts')).toBe(before[0]);
  expect((await runFleet(factory.root)).stages).toEqual([]);
});

test('a gate that refuses keeps a candidate in staging, and its word is the run’s', async () => {
  const refuse = 'echo $INGOT_VERSION breaks the contract; exit 1';
  const gates = [{ name: 'contract', when: 'before', command: ['sh', '-c', refuse] }];
  const factory = await makeFactory('refused', { gates });

  const first = await runFleet(factory.root);
  const again = await runFleet(factory.root);
  await factory.configure({ gates: [{ ...gates[0], command: ['true'] }] });
  const mended = await runFleet(factory.root);

  expect(outcomes(first)).toEqual([['blocked', undefined]]);
  expect(first.runs[0]?.summary).toBe('the gate contract refused: exit 1: 12.0.0 breaks the contract');
  expect(again.runs).toEqual([]);
  expect(outcomes(mended)).toEqual([['released', '12.0.0']]);
});

test('a consumer is built on the candidate before it is released', async () => {
  const consumer = { context: 'shop', platforms: ['linux/amd64'] };
  const factory = await makeFactory('consumer', { gates: [{ name: 'shop', when: 'before', consumer }] });
  await factory.write({ 'shop/Dockerfile': 'FROM golden/base\nCOPY --from=golden/base /etc/no-such-file /x\n' });

  const refused = await runFleet(factory.root);
  await factory.write({ 'shop/Dockerfile': 'FROM golden/base\nCOPY --from=golden/base /etc/motd /x\n' });
  await factory.configure({ gates: [{ name: 'shop', when: 'before', timeout: '5m', consumer }] });
  const passed = await runFleet(factory.root);

  expect(outcomes(refused)).toEqual([['blocked', undefined]]);
  expect(refused.runs[0]?.summary).toContain('no-such-file');
  expect(passed.runs.map(({ summary }) => summary)).toEqual(['released as 12.0.0; passed shop']);
});

test('a freeze of everything holds a rebuild; an image past its end is left alone', async () => {
  const freezes = [{ from: '2020-01-01', until: '2099-01-01', why: 'for ever' }];
  const factory = await makeFactory('frozen', { freezes });

  const frozen = await runFleet(factory.root);
  await factory.configure({ freezes: [] });
  await factory.write({ 'images/base/image.yaml': 'line: "12"\ndeprecated: { date: 2020-01-01 }\n' });
  const ended = await runFleet(factory.root);

  expect([frozen, ended].map(({ runs, plan }) => [runs.length, plan[0]?.state])).toEqual([
    [0, 'held'],
    [0, 'held'],
  ]);
});

test('tags of others move only once a person adopted them', async () => {
  const factory = await makeFactory('adopted', {});
  for (const tag of ['12.4.2', '12', 'stable', 'latest']) {
    await pushImage(scene.registry, atTag(factory.repository('base'), tag), { files: { 'etc/edition': 'theirs' } });
  }
  const theirs = await digestAt(factory, '12');

  const refused = await runFleet(factory.root);
  const kept = await digestAt(factory, '12');
  await withFleet(factory.root, async (app) => {
    const [image] = app.fleet.images;
    const deps = stageDeps(app);
    await adopt(image!, await readAdoption(image!, deps, signal), 'ada', deps, signal);
  });
  const released = await runFleet(factory.root);

  expect([refused.runs, refused.plan[0]?.state, kept]).toEqual([[], 'held', theirs]);
  expect(outcomes(released)).toEqual([['released', '12.4.3']]);
  expect(await digestAt(factory, '12')).toBe(await digestAt(factory, '12.4.3'));
  expect(await digestAt(factory, 'stable')).toBe(await digestAt(factory, '12.4.3'));
  expect([await digestAt(factory, 'latest'), await digestAt(factory, '12.4.2')]).toEqual([theirs, theirs]);
});
