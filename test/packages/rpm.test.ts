import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createMessage, sign } from 'openpgp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { digestOf, hexOf } from '../../src/domain/digest.ts';
import type { ArchiveMap } from '../../src/domain/packages/archive-address.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createArchiveFetch } from '../../src/packages/archive-fetch.ts';
import { createRpmArchives } from '../../src/packages/rpm.ts';
import { type ArchiveKey, createArchiveKey, startArchive, type TestArchive } from '../support/apt-archive.ts';
import { buildRpms, installRpms, rpmDatabase, rpmState } from '../support/rpm-archive.ts';
import { publishRepodata } from '../support/rpm-repodata.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const REPOMD = '/os/repodata/repomd.xml';
const KEY_PATH = '/etc/pki/rpm-gpg/RPM-GPG-KEY-example-40';
const http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });

let archive: TestArchive;
let key: ArchiveKey;
let other: ArchiveKey;
let built: string;
let database: Record<string, Buffer>;
let directory: string;

beforeAll(async () => {
  [key, other] = await Promise.all([createArchiveKey(NOW), createArchiveKey(NOW)]);
  built = await mkdtemp(join(tmpdir(), 'ingot-rpms-'));
  const rpms = [
    { name: 'openssl-libs', version: '3.0.7-1', lines: ['Provides: system-release(releasever) = 40'] },
    { name: 'bash', version: '5.2-1' },
  ];
  const pathOf = await buildRpms(built, rpms);
  await installRpms(join(built, 'root'), rpms.map(pathOf));
  database = await rpmDatabase(join(built, 'root'));
}, 60_000);

beforeEach(async () => {
  archive = await startArchive();
  directory = await mkdtemp(join(tmpdir(), 'ingot-rpm-'));
  publishRepodata(archive, '/os/', { rpms: [NEW] });
  return async () => {
    await Promise.all([archive.stop(), rm(directory, { recursive: true, force: true })]);
  };
});

afterAll(async () => {
  await Promise.all([http.close(), rm(built, { recursive: true, force: true })]);
});

const NEW = { name: 'openssl-libs', version: '3.0.7-2', architecture: 'noarch' };
const UPDATE = { name: 'openssl-libs', source: 'openssl-libs', from: '0:3.0.7-1', to: '0:3.0.7-2', origin: 'os' };
const update = (fields: object = {}) => ({ ...UPDATE, security: false, ...fields });

type Files = Record<string, string | Uint8Array>;

const repo = (options: string) => `[os]\nname=Example $releasever - $basearch\n${options}\n`;

const image = (files: Files = {}): Files => ({
  ...database,
  '/etc/yum.repos.d/os.repo': repo(`baseurl=${archive.address}os/`),
  [KEY_PATH]: key.armored,
  ...files,
});

const withRepo = (options: string, files: Files = {}) => image({ '/etc/yum.repos.d/os.repo': repo(options), ...files });

const archivesOf = (options: { now?: () => Date; mirrors?: ArchiveMap; keyring?: Uint8Array } = {}) => {
  const { now = () => NOW, mirrors = {}, keyring } = options;
  const readKeyring = () => (keyring ? Promise.resolve(keyring) : Promise.reject(new Error('no keyring')));
  return createRpmArchives({
    fetch: createArchiveFetch({ http, directory, retryDelays: [] }),
    ...{ mirrors, readKeyring, now },
  });
};

const ask = async (files: Files = image(), archives = archivesOf()) => archives.updates(await rpmState(files), {});

async function signList(by: ArchiveKey): Promise<void> {
  const message = await createMessage({ binary: archive.files.get(REPOMD)! });
  const signature = await sign({ message, signingKeys: by.privateKey, date: NOW, detached: true });
  archive.files.set(`${REPOMD}.asc`, Buffer.from(signature as string));
}

function publishMetalink(hash: string, bases: readonly string[]): void {
  const urls = bases.map(
    (base, index) => `<url protocol="http" preference="${100 - index}">${base}repodata/repomd.xml</url>`,
  );
  const verification = (digest: string) => `<verification><hash type="sha256">${digest}</hash></verification>`;
  archive.files.set(
    '/metalink',
    Buffer.from(
      `<metalink xmlns:mm0="x"><files><file name="repomd.xml"><mm0:timestamp>1</mm0:timestamp>${verification(hash)}<mm0:alternates><mm0:alternate>${verification('0'.repeat(64))}</mm0:alternate></mm0:alternates><resources>${urls.join('')}</resources></file></files></metalink>`,
    ),
  );
}

const hashOf = (path: string) => hexOf(digestOf(archive.files.get(path)!));

describe('a repository of rpm packages', () => {
  test.each(['.gz', '.zst', ''] as const)('is read with lists packed as "%s"', async (packing) => {
    publishRepodata(archive, '/os/', { rpms: [NEW], packing });

    expect(await ask()).toEqual([update()]);
  });

  test('says which updates are of security', async () => {
    const later = { ...NEW, version: '3.0.7-3' };
    publishRepodata(archive, '/os/', {
      rpms: [NEW, later, { ...NEW, name: 'bash', version: '5.3-1' }],
      security: [NEW],
    });

    expect(await ask()).toEqual([
      update({ name: 'bash', source: 'bash', from: '0:5.2-1', to: '0:5.3-1' }),
      update({ to: '0:3.0.7-3', security: true }),
    ]);
  });

  test('is asked once for all images, then conditionally, and not at all while it is fresh', async () => {
    let now = NOW;
    const archives = archivesOf({ now: () => now });
    const list = [...archive.files.keys()].find((path) => path.includes('primary'));

    await Promise.all([
      ask(image(), archives),
      ask(image({ '/etc/dnf/dnf.conf': '[main]\nexclude=bash\n' }), archives),
    ]);
    now = new Date(NOW.getTime() + 60_000);
    await ask(image(), archives);
    now = new Date(NOW.getTime() + 600_000);
    await ask(image(), archives);

    expect(archive.requests).toEqual([`200 ${REPOMD}`, `200 ${list}`, `304 ${REPOMD}`]);
    // Another process finds both on disk.
    expect(await ask()).toEqual([update()]);
    expect(archive.requests.at(-1)).toBe(`304 ${REPOMD}`);
  });

  test.each([
    ['variables of the release and of files', 'baseurl=$place/$releasever/$basearch\n', '/40/noarch/'],
    ['an address on the next line, in braces', `baseurl=\n  $\{place}/next\n`, '/next/'],
    ['the first address that has it', 'baseurl=$place/gone,$place/second\n', '/second/'],
    ['another section that is off', 'baseurl=$place/on\n[off]\nenabled=0\nbaseurl=$place/gone\n', '/on/'],
  ])('is found by %s', async (_, options, path) => {
    publishRepodata(archive, path, { rpms: [NEW] });

    const files = withRepo(options, { '/etc/dnf/vars/place': `${archive.address.slice(0, -1)}\n` });

    expect(await ask(files)).toEqual([update()]);
  });

  test('is found by a list of mirrors, whose first one is gone', async () => {
    archive.files.set('/mirrors', Buffer.from(`# list\n${archive.address}gone/\n${archive.address}os\n`));

    expect(await ask(withRepo(`mirrorlist=${archive.address}mirrors?repo=os-$releasever`))).toEqual([update()]);
  });

  test('is found by a metalink, at the first mirror that has what it says', async () => {
    publishRepodata(archive, '/old/', { rpms: [{ ...NEW, version: '3.0.7-1' }] });
    publishMetalink(hashOf(REPOMD), [`${archive.address}old/`, `${archive.address}os/`]);

    expect(await ask(withRepo(`metalink=${archive.address}metalink?repo=os&arch=$basearch`))).toEqual([update()]);
  });

  test('is asked at its mirror', async () => {
    const mirrors = { 'dl.example.org/fedora': { url: `${archive.address}os/` } };

    expect(await ask(withRepo('baseurl=http://dl.example.org/fedora/'), archivesOf({ mirrors }))).toEqual([update()]);
  });

  test('with a signed list is read when a key of the image signed it', async () => {
    await signList(key);
    const file = `baseurl=${archive.address}os/\nrepo_gpgcheck=1\ngpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-example-$releasever`;

    expect(await ask(withRepo(file))).toEqual([update()]);
    expect(archive.requests).toContain(`200 ${REPOMD}.asc`);
  });

  test('with a signed list is read when the key of its mirror signed it', async () => {
    await signList(other);
    const mirrors = { 'dl.example.org/': { url: `${archive.address}os/`, keyring: 'keys/other.gpg' } };
    const files = withRepo('baseurl=http://dl.example.org/\nrepo_gpgcheck=1');

    expect(await ask(files, archivesOf({ mirrors, keyring: other.binary }))).toEqual([update()]);
  });
});

describe('what the image says of packages', () => {
  const LOCK = '/etc/dnf/plugins/versionlock.list';

  test.each([
    ['nothing that is excluded', { '/etc/dnf/dnf.conf': '[main]\nexcludepkgs=openssl*\n' }, []],
    ['all the rest', { '/etc/dnf/dnf.conf': '[main]\nexcludepkgs=bash openssl-3*\n' }, ['0:3.0.7-2']],
    ['no lock without its plugin', { [LOCK]: 'openssl-libs-0:3.0.7-1.*\n' }, ['0:3.0.7-2']],
  ])('takes %s', async (_, files, expected) => {
    expect((await ask(image(files as Files))).map(({ to }) => to)).toEqual(expected);
  });

  test('takes only versions that are locked, where the plugin is installed', async () => {
    const state = await rpmState(image({ [LOCK]: '# kept\nopenssl-libs-0:3.0.7-1.*\n' }));
    const plugin = { ...state.installed[0]!, name: 'python3-dnf-plugin-versionlock' };

    const updates = await archivesOf().updates({ ...state, installed: [...state.installed, plugin] }, {});

    expect(updates).toEqual([]);
  });

  test('takes no package of a module for one of none', async () => {
    publishRepodata(archive, '/os/', { rpms: [{ ...NEW, version: '4.0-1.module+el9+1' }, NEW] });

    expect(await ask()).toEqual([update()]);
  });
});

describe('a repository of rpm packages that is not in order', () => {
  const list = () => [...archive.files.keys()].findLast((path) => path.includes('primary'))!;

  test.each([
    [
      'is not there',
      () => archive.files.delete(REPOMD),
      'unavailable',
      /repomd.xml is not there; os in \/etc\/yum.repos.d/,
    ],
    ['answers with an error', () => archive.instead.set(REPOMD, { status: 503 }), 'unavailable', /answered 503/],
    ['lacks a list', () => archive.files.delete(list()), 'unavailable', /is not there, though the archive lists it/],
    [
      'has another list',
      () => archive.files.set(list(), Buffer.from('x'.repeat(20))),
      'untrusted',
      /is not what the signed list/,
    ],
    [
      'has an overview that is cut off',
      () => archive.files.set(REPOMD, archive.files.get(REPOMD)!.subarray(0, -12)),
      'protocol',
      /no whole list/,
    ],
    ['has a page of HTML', () => archive.files.set(REPOMD, Buffer.from('<html>')), 'protocol', /no whole list/],
    [
      'has weak checksums',
      () => publishRepodata(archive, '/os/', { rpms: [NEW], algorithm: 'sha' }),
      'protocol',
      /no SHA256 digest of "primary"/,
    ],
    [
      'has lists in an old packing',
      () => {
        const edit = (text: string) => text.replace('.xml"', '.xml.bz2"');
        publishRepodata(archive, '/os/', { rpms: [NEW], packing: '', edit });
        archive.files.set(`${list()}.bz2`, archive.files.get(list())!);
      },
      'protocol',
      /packed in a way that ingot does not read/,
    ],
  ])('is unknown when it %s', async (_, spoil, code, message) => {
    spoil();

    const error = await ask().catch((caught: unknown) => caught);

    expect(error).toMatchObject({ name: 'ArchiveError', code });
    expect((error as Error).message).toMatch(message);
  });

  const SIGNED = '\nrepo_gpgcheck=1\ngpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-example-40';

  test.each([
    ['is not signed', () => undefined, SIGNED, /not signed, and repo_gpgcheck wants a signature/],
    ['is signed by somebody else', () => signList(other), SIGNED, /none of the 1 trusted keys/],
    ['has no key in the image', () => signList(key), SIGNED.replace('40', '41'), /the image has no key for os/],
    [
      'was changed after it was signed',
      async () => {
        await signList(key);
        publishRepodata(archive, '/os/', { rpms: [{ ...NEW, version: '9-1' }] });
      },
      SIGNED,
      /does not fit its content/,
    ],
  ])('cannot be trusted when it %s', async (_, spoil, options, message) => {
    await spoil();

    const error = await ask(withRepo(`baseurl=${archive.address}os/${options}`)).catch((caught: unknown) => caught);

    expect(error).toMatchObject({ code: 'untrusted' });
    expect((error as Error).message).toMatch(message);
  });

  test('cannot be trusted when no mirror has what the metalink says', async () => {
    publishMetalink('1'.repeat(64), [`${archive.address}os/`]);

    await expect(ask(withRepo(`metalink=${archive.address}metalink`))).rejects.toMatchObject({
      code: 'untrusted',
      message: expect.stringContaining('is not what the metalink says'),
    });
  });

  test('cannot be trusted when a redirect leaves TLS', async () => {
    archive.instead.set(REPOMD, { status: 302, location: 'http://plain.example.org/repomd.xml' });

    await expect(ask()).rejects.toMatchObject({ code: 'untrusted', message: expect.stringContaining('without TLS') });
  });

  test('has no address that can be asked from outside', async () => {
    await expect(ask(withRepo('baseurl=file:///mnt/os'))).rejects.toThrow(
      'os of /etc/yum.repos.d/os.repo in the image',
    );
  });
});

describe('the database of rpm in an image', () => {
  test('is read, with the release that repositories name', async () => {
    const state = await rpmState(image());

    expect(state).toMatchObject({ manager: 'rpm', releasever: '40', architecture: 'noarch' });
    expect(state.installed).toEqual([
      ...[{ name: 'bash', version: '0:5.2-1', architecture: 'noarch', source: 'bash', sourceVersion: '5.2-1' }],
      expect.objectContaining({ name: 'openssl-libs', sourceVersion: '3.0.7-1' }),
    ]);
    expect(Object.keys(state.files)).toEqual(['/etc/yum.repos.d/os.repo', KEY_PATH]);
  });

  test('is read with what only its log has', async () => {
    const path = join(directory, 'rpmdb.sqlite');
    await writeFile(path, Object.values(database)[0]!);
    const writer = new DatabaseSync(path);
    writer.exec('PRAGMA foreign_keys=OFF; PRAGMA journal_mode=WAL; DELETE FROM Packages WHERE hnum = 1;');
    const [main, log] = await Promise.all([readFile(path), readFile(`${path}-wal`)]);
    writer.close();

    const before = await rpmState({ '/usr/lib/sysimage/rpm/rpmdb.sqlite': main });
    const after = await rpmState({
      '/usr/lib/sysimage/rpm/rpmdb.sqlite': main,
      '/usr/lib/sysimage/rpm/rpmdb.sqlite-wal': log,
    });

    expect(before.installed).toHaveLength(2);
    expect(after.installed).toHaveLength(1);
  });

  test.each([
    ['/var/lib/rpm/Packages', 'x', /old format or that of SUSE/],
    ['/usr/lib/sysimage/rpm/Packages.db', 'x', /old format or that of SUSE/],
    ['/var/lib/rpm/rpmdb.sqlite', 'no database', /is no whole database of rpm/],
  ])('is refused when %s cannot be read', async (path, content, message) => {
    await expect(rpmState({ [path]: content })).rejects.toThrow(message);
  });
});
