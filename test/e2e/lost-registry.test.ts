import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { restoreCommand } from '../../src/commands/restore.ts';
import { atTag, parseReference } from '../../src/domain/reference.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { type DistributionOptions, startDistribution, type TestRegistry } from '../support/registry.ts';
import { contentsOf } from '../support/registry-contents.ts';
import { runFleet, withFleet } from '../support/run-fleet.ts';

/** The steps of docs/recovery.md: what is done there is done here. */
let scene: FleetScene;
let folder: string;
let own: TestRegistry;
beforeAll(async () => {
  scene = await startFleetScene();
});
afterAll(() => scene?.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-lost-'));
  own = await startDistribution({ folder });
  return async () => {
    await own.stop();
    await rm(folder, { recursive: true, force: true });
  };
});

/** Starts again at the same address, with nothing. */
async function loseRegistry(): Promise<void> {
  const again: DistributionOptions = { folder, address: own.address };
  await own.stop();
  await rm(join(folder, 'data'), { recursive: true });
  own = await startDistribution(again);
}

async function makeFactory(name: string, replicas: readonly string[]): Promise<TestFactory> {
  const settings = { registry: `${own.address}/${name}`, replicas };
  const factory = await scene.factory(name, { settings });
  await factory.publish('first');
  return factory;
}

const release = (name: string, image: string) => parseReference(`${own.address}/${name}/${image}`);
const contents = (name: string) =>
  Promise.all(['base', 'child'].map((image) => contentsOf(scene.registry, release(name, image))));

test('a lost registry comes back from a replica, and the next cycle finds nothing to do', async () => {
  const replica = `${scene.host}/kept-replica`;
  const factory = await makeFactory('kept', [replica]);
  await runFleet(factory.root);
  const before = await contents('kept');

  await loseRegistry();
  const lines: string[] = [];
  const code = await withFleet(factory.root, (app) => {
    const output = { line: (line: string) => lines.push(line), json() {}, progress: { write() {} } };
    return restoreCommand(replica, app, output as never, {
      images: [],
      json: false,
      signal: new AbortController().signal,
    });
  });
  const { runs, plan } = await runFleet(factory.root);

  expect([code, lines.filter((line) => line.includes('is back')).sort()]).toEqual([
    0,
    ['base 12.0.0 is back', 'child 3.11.0 is back'],
  ]);
  // Those that were made for the name of the replica came along
  const after = JSON.parse(JSON.stringify(await contents('kept')).replaceAll('"signatures":2', '"signatures":1'));
  expect(after).toEqual(before);
  expect(runs).toEqual([]);
  expect(plan.map(({ image, state }) => [image, state])).toEqual([
    ['base', 'fresh'],
    ['child', 'fresh'],
  ]);
});

test('without a replica all is built again, the same content under versions that nobody was given before', async () => {
  const factory = await makeFactory('gone', []);
  const first = await runFleet(factory.root);

  await loseRegistry();
  const { runs } = await runFleet(factory.root);
  const again = await runFleet(factory.root);

  expect(runs.map(({ image, outcome, version }) => [image, outcome, version])).toEqual([
    ['base', 'released', '12.0.1'],
    ['child', 'released', '3.11.1'],
  ]);
  const platforms = (report: typeof first) =>
    report.runs.map((run) => Object.values(run.platforms).map(({ digest }) => digest));
  expect(platforms({ ...first, runs })).toEqual(platforms(first));
  expect(again.runs).toEqual([]);
  expect(await scene.registry.head(atTag(release('gone', 'base'), '12.0.0'))).toBeUndefined();
});
