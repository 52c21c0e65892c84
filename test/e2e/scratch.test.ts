import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { runFleet } from '../support/run-fleet.ts';

let scene: FleetScene;
let factory: TestFactory;

beforeAll(async () => {
  scene = await startFleetScene();
  factory = await scene.factory('scratch', { only: 'none' });
  await factory.write({
    'images/static/image.yaml':
      'line: "1"\nfrom: scratch\nfiles: [{ source: files/tool, to: /tool, mode: "0755" }]\nentrypoint: [/tool]\nuser: 10001\n',
    'images/static/files/tool': 'a program\n',
    'images/app/image.yaml':
      'line: "1"\nfrom: { golden: static }\nfiles: [{ source: files/app.conf, to: /etc/app.conf }]\nworkdir: /srv\n',
    'images/app/files/app.conf': 'a = 1\n',
    'images/app/smoke.yaml':
      'schemaVersion: 2.0.0\nfileContentTests:\n  - { name: tool, path: /tool, expectedContents: [program] }\nmetadataTest: { user: "10001", workdir: /srv, entrypoint: [/tool] }\n',
  });
});
afterAll(() => scene?.stop());

test('an image from scratch is released, and one on it', async () => {
  const { runs } = await runFleet(factory.root);

  expect(runs.map(({ image, outcome }) => `${image} ${outcome}`)).toEqual(['static released', 'app released']);
});

test('is fresh while its files are what they were', async () => {
  const { runs, plan } = await runFleet(factory.root);

  expect([runs, plan.map(({ state }) => state)]).toEqual([[], ['fresh', 'fresh']]);
});
