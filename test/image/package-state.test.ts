import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { atDigest, parseReference, type Reference } from '../../src/domain/reference.ts';
import { readPackageState } from '../../src/image/package-state.ts';
import { createPackageStates } from '../../src/image/package-states.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { dpkgStatus } from '../support/apt-archive.ts';
import { pushImage, type TestFiles } from '../support/images.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';

let server: TestRegistry;
let registry: Registry;
let directory: string;
const http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });

beforeAll(async () => {
  server = await startDistribution();
  registry = createRegistry({ http });
  directory = await mkdtemp(join(tmpdir(), 'ingot-states-'));
});

afterAll(async () => {
  await Promise.all([server.stop(), http.close(), rm(directory, { recursive: true, force: true })]);
});

const push = async (files: TestFiles | readonly TestFiles[]): Promise<Reference> => {
  const place = parseReference(`${server.address}/team/image`);
  return atDigest(place, (await pushImage(registry, place, { files })).digest);
};

const DEBIAN: TestFiles = {
  'usr/lib/os-release': 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
  'etc/os-release': { type: 'symlink', linkname: '../usr/lib/os-release' },
  'var/lib/dpkg/status': dpkgStatus([
    { name: 'dpkg', version: '1.21.22' },
    { name: 'libc6', version: '2.36-9', source: 'glibc' },
    { name: 'libc-bin', version: '2.36-9+b1', source: 'glibc (2.36-9)', status: 'hold ok installed' },
    { name: 'gone', version: '1', status: 'deinstall ok config-files' },
  ]),
  'etc/apt/sources.list.d/debian.sources':
    'Types: deb\nURIs: http://deb.example.org/debian\nSuites: bookworm\nComponents: main\nSigned-By: /usr/share/keyrings/named.gpg\n',
  'etc/apt/trusted.gpg.d/trusted.asc': 'trusted',
  'usr/share/keyrings/named.gpg': { type: 'symlink', linkname: 'real.pgp' },
  'usr/share/keyrings/real.pgp': 'named',
  'usr/share/keyrings/other.gpg': 'not named by a source',
};

describe('the packages of an image', () => {
  test('are read from its files, with whom apt trusts', async () => {
    const state = await readPackageState(registry, await push(DEBIAN));

    expect(state).toMatchObject({
      manager: 'apt',
      os: { id: 'debian', version: '12', codename: 'bookworm' },
      architecture: 'amd64',
    });
    expect(state.installed).toEqual([
      { ...{ name: 'dpkg', version: '1.21.22', architecture: 'amd64' }, source: 'dpkg', sourceVersion: '1.21.22' },
      {
        ...{ name: 'libc-bin', version: '2.36-9+b1', architecture: 'amd64' },
        source: 'glibc',
        sourceVersion: '2.36-9',
        held: true,
      },
      { ...{ name: 'libc6', version: '2.36-9', architecture: 'amd64' }, source: 'glibc', sourceVersion: '2.36-9' },
    ]);
    expect(Object.keys(state.files)).toEqual([
      '/etc/apt/sources.list.d/debian.sources',
      '/etc/apt/trusted.gpg.d/trusted.asc',
      '/usr/share/keyrings/named.gpg',
      '/var/lib/dpkg/status',
    ]);
    expect(Buffer.from(state.files['/usr/share/keyrings/named.gpg']!).toString()).toBe('named');
  });

  test('are those of its last layer', async () => {
    const later = { 'var/lib/dpkg/status': dpkgStatus([{ name: 'dpkg', version: '1.21.23' }]) };

    const state = await readPackageState(registry, await push([DEBIAN, later]));

    expect(state.installed.map(({ version }) => version)).toEqual(['1.21.23']);
  });

  test('are listed one by one in images without dpkg', async () => {
    const state = await readPackageState(
      registry,
      await push({
        'var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2024a\nArchitecture: all\n',
        'var/lib/dpkg/status.d/libc6': 'Package: libc6\nVersion: 2.36-9\nArchitecture: arm64\nSource: glibc\n',
        'var/lib/dpkg/status.d/libc6.md5sums': 'Package: none\nVersion: 1\n',
      }),
    );

    expect(state.installed.map(({ name, source }) => [name, source])).toEqual([
      ['libc6', 'glibc'],
      ['tzdata', 'tzdata'],
    ]);
    expect(state.architecture).toBe('arm64');
  });

  test('are none in an image without a package manager', async () => {
    const state = await readPackageState(registry, await push({ 'bin/tool': 'x' }));

    expect(state).toMatchObject({ manager: 'none', os: { id: 'linux' }, installed: [] });
  });

  test('have a digest that moves with each of them, and with each source', async () => {
    const digests = await Promise.all(
      [DEBIAN, { ...DEBIAN, 'usr/bin/x': 'x' }, { ...DEBIAN, 'etc/apt/trusted.gpg.d/trusted.asc': 'other' }].map(
        async (files) => (await readPackageState(registry, await push(files))).digest,
      ),
    );

    expect(digests[1]).toBe(digests[0]);
    expect(digests[2]).not.toBe(digests[0]);
  });
});

describe('the packages of an image, asked for again', () => {
  const counted = () => {
    let reads = 0;
    const blobStream: Registry['blobStream'] = (...args) => {
      reads++;
      return registry.blobStream(...args);
    };
    return { registry: { ...registry, blobStream }, reads: () => reads };
  };

  test('come from the disk, whole, whoever reads them', async () => {
    const image = await push({ ...DEBIAN, 'again/file': '1' });
    const first = counted();
    const second = counted();
    const folder = join(directory, 'again');

    const asked = createPackageStates({ registry: first.registry, directory: folder });
    const [before] = await Promise.all([asked.state(image), asked.state(image), asked.state(image)]);
    const after = await createPackageStates({ registry: second.registry, directory: folder }).state(image);

    expect([first.reads(), second.reads()]).toEqual([1, 0]);
    expect(JSON.parse(JSON.stringify(after))).toEqual(JSON.parse(JSON.stringify(bytesOf(before!))));
  });

  test('are read anew when what is on the disk is not whole', async () => {
    const image = await push({ ...DEBIAN, 'anew/file': '1' });
    const folder = join(directory, 'anew');
    const before = await createPackageStates({ registry, directory: folder }).state(image);
    for (const name of await readdir(folder, { recursive: true })) {
      if (/[0-9a-f]{64}$/.test(name)) await writeFile(join(folder, name), 'half');
    }
    const again = counted();

    const after = await createPackageStates({ registry: again.registry, directory: folder }).state(image);

    expect(again.reads()).toBe(1);
    expect(after.digest).toBe(before.digest);
  });
});

/** Buffers are bytes as well. */
function bytesOf<T extends { readonly files: Readonly<Record<string, Uint8Array>> }>(state: T): T {
  return {
    ...state,
    files: Object.fromEntries(Object.entries(state.files).map(([path, each]) => [path, Buffer.from(each)])),
  };
}
