import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDownstream } from '../../scripts/demo/downstream.ts';
import { runOnce } from '../../src/commands/run-once.ts';
import { atTag } from '../../src/domain/reference.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { runFleet, SILENT, withFleet } from '../support/run-fleet.ts';

let scene: FleetScene;
let factory: TestFactory;

beforeAll(async () => {
  scene = await startFleetScene();
  factory = await scene.factory('cycle');
  await factory.publish('first');
});
afterAll(() => scene?.stop());

test('releases a fleet that was never released, parents first', async () => {
  const { runs } = await runFleet(factory.root);

  expect(runs.map(({ image, outcome, version, summary }) => [image, outcome, version, summary])).toEqual([
    ['base', 'released', '12.0.0', 'released as 12.0.0; passed contract'],
    ['child', 'released', '3.11.0', 'released as 3.11.0; passed contract'],
  ]);
  expect(await scene.registry.tags(factory.repository('base'))).toEqual(
    expect.arrayContaining(['12', '12.0', '12.0.0', 'stable']),
  );
});

test('does nothing, and says why, when nothing changed', async () => {
  const { runs, plan, seconds } = await runFleet(factory.root);

  expect(runs).toEqual([]);
  expect(plan.map(({ image, state }) => [image, state])).toEqual([
    ['base', 'fresh'],
    ['child', 'fresh'],
  ]);
  expect(seconds).toBeGreaterThan(0);
});

test('rebuilds in order and proposes when upstream moves', async () => {
  const before = await scene.registry.head(atTag(factory.repository('base'), '12.0.0'));
  const pin = `${factory.base}/base:12.0.0@${before!.digest}`;
  await makeDownstream(factory.downstream, { Dockerfile: `FROM ${pin}\n` });
  await factory.publish('second');

  const { runs, proposals } = await runFleet(factory.root);

  expect(runs.map(({ image, reasons, version }) => [image, reasons[0]?.kind, version])).toEqual([
    ['base', 'base-changed', '12.0.1'],
    ['child', 'base-changed', '3.11.1'],
  ]);
  const actions = proposals.map(({ image, results }) => [image, results.map(({ action }) => action)]);
  expect(actions).toEqual([
    ['base', ['opened']],
    ['child', ['none']],
  ]);
  expect((await scene.registry.head(atTag(factory.repository('base'), '12.0.0')))?.digest).toBe(before!.digest);
});

test('ends as unchanged, without tag or pull request, when the content comes out equal', async () => {
  await factory.write({ 'images/child/Dockerfile': '# a comment changes nothing\nFROM golden/base\nCOPY app /app\n' });

  const { runs } = await runFleet(factory.root);

  expect(runs.map(({ image, outcome, version }) => [image, outcome, version])).toEqual([
    ['child', 'unchanged', '3.11.1'],
  ]);
  expect((await runFleet(factory.root)).runs).toEqual([]);
});

test('blocks a candidate that policy refuses, and keeps its children waiting', async () => {
  const tags = await scene.registry.tags(factory.repository('base'));
  await factory.write({ 'images/base/Dockerfile': 'FROM debian:12-slim\nCOPY motd /etc/motd\nUSER 0\n' });

  const { runs, plan } = await runFleet(factory.root);

  expect(runs.map(({ image, outcome }) => [image, outcome])).toEqual([['base', 'blocked']]);
  expect(runs[0]?.summary).toContain('blocked: user');
  expect(plan.find(({ image }) => image === 'child')?.state).toBe('held');
  expect(await scene.registry.tags(factory.repository('base'))).toEqual(tags);
});

test('judges a blocked candidate again when a waiver is there, not before, and without a build', async () => {
  const again = await runFleet(factory.root);
  const until = { reason: 'until the next release', until: '2099-01-01' };
  const waivers = JSON.stringify(['user', 'smoke'].map((id) => ({ id, ...until })));
  await factory.write({ 'images/base/waivers.yaml': waivers, 'images/child/waivers.yaml': waivers });

  const waived = await runFleet(factory.root);

  expect(again.runs).toEqual([]);
  expect(again.plan.find(({ image }) => image === 'base')?.state).toBe('held');
  expect(waived.runs.map(({ image, outcome }) => [image, outcome])).toEqual([
    ['base', 'released'],
    ['child', 'released'],
  ]);
});

test('builds anew what somebody asked for, and publishes nothing when it comes out equal', async () => {
  const requested = new Map([['base', { by: 'ada', at: new Date().toISOString() }]]);

  const result = await withFleet(factory.root, (app) =>
    runOnce({ ...app, cycle: { ...app.cycle, requested } }, SILENT, new AbortController().signal),
  );

  expect(result.runs.map(({ image, outcome }) => [image, outcome])).toEqual([['base', 'unchanged']]);
  expect(result.plan.map(({ state }) => state)).toEqual(['fresh', 'fresh']);
});

test('shows a failing build by its own last lines, and releases nothing', async () => {
  await factory.write({ 'images/base/Dockerfile': 'FROM debian:12-slim\nCOPY missing /etc/motd\nUSER 10001\n' });

  const { runs } = await runFleet(factory.root);

  expect(runs.map(({ image, outcome }) => [image, outcome])).toEqual([['base', 'failed']]);
  expect(runs[0]?.summary).toContain('missing');
});

test('tells what is in use, from the registry alone', async () => {
  await withFleet(factory.root, async (app) => {
    const head = await app.registry.head(atTag(app.places.release('child'), '3.11'));
    const verification = await app.attestor.verify({ ...app.places.release('child'), digest: head!.digest });

    expect(verification).toMatchObject({ bundle: 'valid', legacy: 'valid', problems: [] });
    expect(verification.attestations).toHaveLength(2);
  });
});
