import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ArchiveKey,
  createArchiveKey,
  dpkgStatus,
  publishSuite,
  startArchive,
  type TestArchive,
} from '../support/apt-archive.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { runFleet } from '../support/run-fleet.ts';

let scene: FleetScene;
let factory: TestFactory;
let archive: TestArchive;
let key: ArchiveKey;

beforeAll(async () => {
  [scene, archive, key] = await Promise.all([startFleetScene(), startArchive(), createArchiveKey(new Date())]);
  factory = await scene.factory('packages', { only: 'base' });
  await factory.publish('first');
  await offer('1.0-1');
  await factory.write({
    'images/base/image.yaml': 'line: "12"\nplatforms: [linux/amd64]\n',
    'images/base/Dockerfile': 'FROM debian:12-slim\nCOPY / /\nUSER 10001\n',
    'images/base/context/etc/motd': 'golden\n',
    'images/base/context/etc/apt/keyrings/acme.asc': Buffer.from(key.armored).toString(),
    'images/base/context/etc/apt/sources.list': `deb [signed-by=/etc/apt/keyrings/acme.asc] ${archive.address}debian bookworm-security main\n`,
    ...installed('1.0-1'),
  });
});
afterAll(async () => {
  await Promise.all([scene?.stop(), archive?.stop()]);
});

const offer = (version: string) =>
  publishSuite(archive, {
    ...{ suite: 'bookworm-security', date: new Date(), keys: [key], fields: { Label: 'Debian-Security' } },
    packages: [{ name: 'tool', version }],
  });

const installed = (version: string) => ({
  'images/base/context/var/lib/dpkg/status': dpkgStatus([
    { name: 'dpkg', version: '1.21.22' },
    { name: 'tool', version },
  ]),
});

const kinds = (run: { reasons: readonly { kind: string }[] } | undefined) => run?.reasons.map(({ kind }) => kind);

test('is fresh while the archive has nothing newer, and asks it for one signed list', async () => {
  await runFleet(factory.root);
  archive.requests.length = 0;

  const { runs, plan } = await runFleet(factory.root);

  expect([runs, plan[0]?.state]).toEqual([[], 'fresh']);
  expect(archive.requests).toEqual(['304 /debian/dists/bookworm-security/InRelease']);
});

test('is rebuilt for a security update, which fixes a vulnerability', async () => {
  await offer('1.1-1');

  const { runs } = await runFleet(factory.root);

  expect(kinds(runs[0])).toEqual(['package-updates', 'vulnerability-fixable']);
  expect(runs[0]?.reasons[0]).toMatchObject({
    updates: [{ name: 'tool', from: '1.0-1', to: '1.1-1', security: true }],
  });
  expect(runs[0]?.outcome).toBe('unchanged'); // the Dockerfile brings its own status along
});

test('is not rebuilt again for an update that a rebuild did not bring in', async () => {
  const { runs, plan } = await runFleet(factory.root);

  expect([runs, plan[0]?.state]).toEqual([[], 'held']);
});

test('is fresh again once the update is in', async () => {
  await factory.write(installed('1.1-1'));

  const released = await runFleet(factory.root);
  const after = await runFleet(factory.root);

  expect([kinds(released.runs[0])?.[0], released.runs[0]?.outcome]).toEqual(['definition-changed', 'released']);
  expect([after.runs, after.plan[0]?.state]).toEqual([[], 'fresh']);
});

test('decides nothing from an archive that is not signed by whom the image trusts', async () => {
  await publishSuite(archive, {
    ...{ suite: 'bookworm-security', date: new Date(), keys: [await createArchiveKey(new Date())] },
    packages: [{ name: 'tool', version: '9.9-1' }],
  });

  const { runs, plan } = await runFleet(factory.root);

  expect([runs, plan[0]?.state]).toEqual([[], 'unknown']);
});
