import { afterAll, beforeAll, expect, test } from 'vitest';
import { atDigest, atTag } from '../../src/domain/reference.ts';
import { ANNOTATIONS, readTag } from '../../src/flows/releases.ts';
import { exec } from '../../src/lib/exec.ts';
import { parseManifest } from '../../src/registry/manifest.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { runFleet } from '../support/run-fleet.ts';

const COMMITTED = '2026-10-01T08:00:00.000Z';

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
  const author = { GIT_AUTHOR_DATE: COMMITTED, GIT_COMMITTER_DATE: COMMITTED };
  const by = ['-c', 'user.name=ada', '-c', 'user.email=ada@acme.example'];
  for (const args of [
    ['init', '-q'],
    ['add', 'images'],
    [...by, 'commit', '-qm', 'Define'],
  ])
    await exec('git', args, { cwd: factory.root, env: author });
});
afterAll(() => scene?.stop());

test('an image from scratch is released, and one on it, with the time of its definition', async () => {
  const { runs } = await runFleet(factory.root);

  expect(runs.map(({ image, outcome }) => `${image} ${outcome}`)).toEqual(['static released', 'app released']);
  for (const name of ['static', 'app']) {
    const repository = factory.repository(name);
    const release = (await readTag(scene.registry, atTag(repository, '1'), {}))!;
    const child = await scene.registry.manifest(atDigest(repository, release.platforms['linux/amd64']!));
    const { annotations } = parseManifest(child!.bytes, 'an image');
    expect(annotations?.[ANNOTATIONS.created]).toBe(COMMITTED);
  }
});

test('is fresh while its files are what they were', async () => {
  const { runs, plan } = await runFleet(factory.root);

  expect([runs, plan.map(({ state }) => state)]).toEqual([[], ['fresh', 'fresh']]);
});
