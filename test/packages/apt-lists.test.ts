import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHttp } from '../../src/lib/http.ts';
import { createAptArchives } from '../../src/packages/apt.ts';
import { createArchiveFetch } from '../../src/packages/archive-fetch.ts';
import {
  type ArchiveKey,
  createArchiveKey,
  dpkgStatus,
  publishSuite,
  startArchive,
  type TestArchive,
} from '../support/apt-archive.ts';
import { findAptResolver } from '../support/apt-resolver.ts';
import { aptState } from '../support/apt-state.ts';
import type { ResolveRequest, Resolver } from '../support/resolver.ts';

const NOW = new Date();
const ARCHITECTURES = ['amd64', 'arm64'];

let archive: TestArchive;
let key: ArchiveKey;
let directory: string;
let resolver: Resolver;
const http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });

beforeAll(async () => {
  key = await createArchiveKey(NOW);
  const found = await findAptResolver();
  if (found === undefined) throw new Error('apt-get is not installed');
  resolver = found;
});

beforeEach(async () => {
  archive = await startArchive();
  directory = await mkdtemp(join(tmpdir(), 'ingot-lists-'));
  return () => Promise.all([archive.stop(), rm(directory, { recursive: true, force: true })]);
});

afterAll(() => http.close());

const publish = (version = '2', signature: 'inline' | 'detached' = 'inline') =>
  publishSuite(archive, {
    ...{ suite: 'trunk', date: NOW, keys: [key], architectures: ARCHITECTURES, signature },
    packages: ARCHITECTURES.flatMap((architecture) => [
      { name: 'app', version, architecture, depends: 'libapp (>= 2)' },
      { name: 'libapp', version: architecture === 'arm64' ? '2.arm' : '2', architecture },
      { name: 'broken', version: '1', architecture, depends: 'nowhere' },
    ]),
  });

const stateOf = (architecture: string, more: Record<string, string> = {}) =>
  aptState({
    '/var/lib/dpkg/status': dpkgStatus([
      { name: 'dpkg', version: '1', architecture },
      { name: 'libapp', version: '1', architecture },
    ]),
    '/etc/apt/sources.list': `deb ${archive.address}debian trunk main\n`,
    '/etc/apt/trusted.gpg.d/test.asc': Buffer.from(key.armored).toString(),
    ...more,
  });

const snapshot = () =>
  createAptArchives({
    fetch: createArchiveFetch({ http, directory: join(directory, 'archives'), retryDelays: [] }),
    ...{ mirrors: {}, readKeyring: () => Promise.reject(new Error('none')), now: () => NOW, freshForMs: Infinity },
  });

const lists = () => join(directory, 'lists');
const resolve = async (architecture: string, request: Partial<ResolveRequest> = {}) =>
  resolver.resolve({ state: await stateOf(architecture), lists: lists(), install: [], upgrade: 'none', ...request });

describe('one snapshot of the archives', () => {
  test('has the files that apt looks for, for all platforms', async () => {
    await publish();

    await snapshot().lists([await stateOf('amd64'), await stateOf('arm64')], lists());

    const host = new URL(archive.address).host;
    expect((await readdir(lists())).sort()).toEqual([
      `${host}_debian_dists_trunk_InRelease`,
      `${host}_debian_dists_trunk_main_binary-amd64_Packages`,
      `${host}_debian_dists_trunk_main_binary-arm64_Packages`,
      'partial',
    ]);
    expect(await readFile(join(lists(), `${host}_debian_dists_trunk_InRelease`), 'utf8')).toContain('BEGIN PGP');
  });

  test.each(['inline', 'detached'] as const)(
    'tells what a build would install, with %s signatures',
    async (signature) => {
      await publish('2', signature);
      await snapshot().lists([await stateOf('amd64'), await stateOf('arm64')], lists());

      expect(await resolve('amd64', { install: ['app'] })).toEqual({
        versions: { app: '2', libapp: '2' },
        removed: [],
      });
      expect(await resolve('arm64', { install: ['app'] })).toEqual({
        versions: { app: '2', libapp: '2.arm' },
        removed: [],
      });
      expect(await resolve('arm64', { upgrade: 'all' })).toEqual({ versions: { libapp: '2.arm' }, removed: [] });
      expect(await resolve('amd64')).toEqual({ versions: {}, removed: [] });
    },
  );

  test('stays what it was when the archive moves on, and says by its digest that another is another', async () => {
    await publish();
    const archives = snapshot();
    const state = await stateOf('amd64');
    const first = await archives.lists([state], lists());
    await publish('3');

    expect(await archives.lists([state], join(directory, 'again'))).toBe(first);
    expect(await snapshot().lists([state], join(directory, 'later'))).not.toBe(first);
    expect((await resolve('amd64', { install: ['app'] })).versions.app).toBe('2');
  });

  test('says in the words of apt what does not fit together', async () => {
    await publish();
    await snapshot().lists([await stateOf('amd64')], lists());

    await expect(resolve('amd64', { install: ['broken'] })).rejects.toMatchObject({
      code: 'unresolvable',
      message: expect.stringMatching(/broken : Depends: nowhere/),
    });
    await expect(resolve('amd64', { install: ['nothing'] })).rejects.toThrow(/Unable to locate package nothing/);
  });

  test('is resolved without a word of the image being run on this machine', async () => {
    await publish();
    const trap = join(directory, 'trapped');
    const hooks = ['AptCli::Hooks::Install', 'AptCli::Hooks::Upgrade', 'APT::Update::Pre-Invoke', 'DPkg::Pre-Invoke'];
    const state = await stateOf('amd64', {
      '/etc/apt/apt.conf.d/00trap': hooks.map((hook) => `${hook}:: "touch ${trap}";\n`).join(''),
    });
    await snapshot().lists([state], lists());

    await resolve('amd64', { state, install: ['app'], upgrade: 'all' });

    await expect(stat(trap)).rejects.toThrow(/ENOENT/);
  });
});

test('a machine without apt has no resolver', async () => {
  expect(await findAptResolver({ program: '/nowhere/apt-get' })).toBeUndefined();
});
