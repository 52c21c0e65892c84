import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packFiles, unpackFiles } from '../../src/definitions/pack.ts';
import { readFleet } from '../../src/definitions/read.ts';
import { createFleetSource } from '../../src/definitions/source.ts';
import { packFleet, unpackFleet } from '../../src/definitions/store.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { fetchDefinitions, publishDefinitions } from '../../src/flows/definitions.ts';
import { exec } from '../../src/lib/exec.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';

let folder: string;
let server: TestRegistry;
const http = createHttp({ connectionsPerHost: 4, userAgent: 'ingot-test', timeoutMs: 30_000 });
const registry = createRegistry({ http });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-definitions-'));
  server = await startDistribution();
});
afterAll(async () => {
  await Promise.all([http.close(), server?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const FLEET = {
  'ingot.yaml':
    'fleet: acme\nsigning: { key: { file: fleet.key } }\ngates: [{ name: g, when: before, command: [./gates/check.sh] }]\n',
  'fleet.key': 'SECRET\n',
  'gates/check.sh': '#!/bin/sh\n',
  'notes.txt': 'of no use to a build\n',
  'images/base/image.yaml': 'line: "12"\nsecrets: [{ id: token, file: images/base/token }]\n',
  'images/base/token': 'SECRET\n',
  'images/base/Dockerfile': 'FROM debian:12-slim\nCOPY . /\n',
  'images/base/context/run.sh': '#!/bin/sh\n',
};

async function write(root: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { mode: path.endsWith('.sh') ? 0o755 : 0o644 });
  }
  return root;
}

test('definitions come out of the registry as they went in, and no secret went with them', async () => {
  const root = await write(join(folder, 'here'), FLEET);
  const place = { registry, repository: parseReference(`${server.address}/acme/fleet`) };
  const before = await readFleet(root);

  const digest = await publishDefinitions(await packFleet(root, before), place, {});
  const again = await publishDefinitions(await packFleet(root, before), place, {});
  const there = await unpackFleet(digest, () => fetchDefinitions(digest, place, {}), join(folder, 'there'));
  const after = await readFleet(there.root);

  expect(again).toBe(digest);
  expect([there.revisions, there.times]).toEqual([{}, {}]); // in no git repository
  expect(after.images.map(({ definition }) => definition)).toEqual(before.images.map(({ definition }) => definition));
  expect((await stat(join(there.root, 'images/base/context/run.sh'))).mode & 0o111).toBe(0o111);
  expect((await stat(join(there.root, 'gates/check.sh'))).mode & 0o111).toBe(0o111);
  for (const path of ['fleet.key', 'images/base/token', 'notes.txt']) {
    await expect(readFile(join(there.root, path))).rejects.toMatchObject({ code: 'ENOENT' });
  }
});

test('definitions that the registry has not are tried again later, and leave nothing behind', async () => {
  const place = { registry, repository: parseReference(`${server.address}/acme/fleet`) };
  const digest = digestOf('nothing');

  const fetched = unpackFleet(digest, () => fetchDefinitions(digest, place, {}), join(folder, 'nowhere'));

  await expect(fetched).rejects.toMatchObject({ code: 'unavailable', retryable: true });
});

test('an archive cannot write elsewhere', async () => {
  const files = [{ path: '../../etc/passwd', executable: false, content: Buffer.from('x') }];

  await expect(unpackFiles(await packFiles(files))).rejects.toMatchObject({ code: 'protocol' });
});

test('a branch of a git repository is followed, and what cannot be fetched names no password', async () => {
  const origin = await write(join(folder, 'origin'), { 'ingot.yaml': 'fleet: acme\n' });
  const git = (...args: string[]) =>
    exec('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: origin });
  await git('init', '--quiet', '--initial-branch=live');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'first');
  const options = { root: folder, dataDirectory: join(folder, 'data') };
  const source = createFleetSource(`git+file://${origin}#live`, options);

  const first = await source.update();
  await write(origin, { 'ingot.yaml': 'fleet: other\n' });
  await git('commit', '--quiet', '-am', 'second');
  const second = await source.update();
  const gone = createFleetSource('git+http://user:hunter2@127.0.0.1:1/fleet.git#main', options);

  expect(first.commit).toMatch(/^[0-9a-f]{40}$/);
  expect(second.commit).not.toBe(first.commit);
  expect(await readFile(join(second.root, 'ingot.yaml'), 'utf8')).toBe('fleet: other\n');
  expect(gone.name).toBe('git+http://127.0.0.1:1/fleet.git#main');
  const failure = await gone.update().catch((error: Error) => error);
  expect(failure).toMatchObject({ code: 'unavailable' });
  expect(String(failure)).not.toContain('hunter2');
});
