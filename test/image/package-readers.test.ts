import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseReference } from '../../src/domain/reference.ts';
import { createPackageStates } from '../../src/image/package-states.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { apkDatabase } from '../support/apk-archive.ts';
import { pushImage, type TestFiles } from '../support/images.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';
import { buildRpms, installRpms, rpmDatabase } from '../support/rpm-archive.ts';

let server: TestRegistry;
let registry: Registry;
let directory: string;
const http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });

beforeAll(async () => {
  server = await startDistribution();
  registry = createRegistry({ http });
  directory = await mkdtemp(join(tmpdir(), 'ingot-readers-'));
});

afterAll(async () => {
  await Promise.all([server.stop(), http.close(), rm(directory, { recursive: true, force: true })]);
});

/** The second reading is from disk. */
async function readTwice(files: readonly TestFiles[]) {
  const place = parseReference(`${server.address}/team/image`);
  const reference = { ...place, digest: (await pushImage(registry, place, { files })).digest };
  const states = () => createPackageStates({ registry, directory: join(directory, 'states') });
  const first = await states().state(reference);
  expect(await states().state(reference)).toEqual(first);
  return first;
}

describe('the packages of an image', () => {
  test('are read from what apk leaves there', async () => {
    const base: TestFiles = {
      'etc/os-release': 'ID=alpine\nVERSION_ID=3.20.1\n',
      'lib/apk/db/installed': apkDatabase([{ name: 'musl', version: '1.2.5-r0' }]),
      'etc/apk/repositories': 'https://dl.example.org/alpine/v3.20/main\n',
      'etc/apk/keys/builder@example.org-1.rsa.pub': 'key',
      'etc/apk/arch': 'aarch64\n',
    };
    const database = apkDatabase([
      { name: 'musl', version: '1.2.5-r0' },
      { name: 'libssl3', version: '3.3.0-r0', origin: 'openssl' },
    ]);

    const state = await readTwice([base, { 'lib/apk/db/installed': database, 'etc/apk/world': 'libssl3\n' }]);

    expect(state).toMatchObject({ manager: 'apk', os: { id: 'alpine', version: '3.20.1' }, architecture: 'aarch64' });
    expect(state.installed.map(({ name, source }) => `${name} ${source}`)).toEqual(['libssl3 openssl', 'musl musl']);
    expect(Object.keys(state.files).sort()).toEqual([
      ...['/etc/apk/arch', '/etc/apk/keys/builder@example.org-1.rsa.pub', '/etc/apk/repositories', '/etc/apk/world'],
    ]);
  });

  test('are read from what rpm leaves there, with links to keys followed', async () => {
    const release = { name: 'example-release', version: '40-1', lines: ['Provides: system-release(releasever) = 41'] };
    const pathOf = await buildRpms(directory, [release]);
    await installRpms(join(directory, 'root'), [pathOf(release)]);
    const [database] = Object.values(await rpmDatabase(join(directory, 'root')));

    const state = await readTwice([
      {
        'usr/lib/sysimage/rpm/rpmdb.sqlite': { content: database! },
        'var/lib/rpm': { type: 'symlink', linkname: '../../usr/lib/sysimage/rpm' },
        'etc/yum.repos.d/os.repo': '[os]\nbaseurl=https://dl.example.org/$releasever/\n',
        'etc/pki/rpm-gpg/RPM-GPG-KEY-41': { type: 'symlink', linkname: 'RPM-GPG-KEY-example' },
        'etc/pki/rpm-gpg/RPM-GPG-KEY-example': 'key',
      },
    ]);

    expect(state).toMatchObject({ manager: 'rpm', releasever: '41' });
    expect(state.installed).toMatchObject([{ name: 'example-release', version: '0:40-1' }]);
    expect(Buffer.from(state.files['/etc/pki/rpm-gpg/RPM-GPG-KEY-41']!).toString()).toBe('key');
  });
});
