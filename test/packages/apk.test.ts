import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { apkCacheNames } from '../../src/domain/packages/apk-cache.ts';
import type { ArchiveMap } from '../../src/domain/packages/archive-address.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createApkArchives } from '../../src/packages/apk.ts';
import { createArchiveFetch } from '../../src/packages/archive-fetch.ts';
import { apkDatabase, apkIndexFile, apkState, createApkKey, signatureOf, tarOf } from '../support/apk-archive.ts';
import { startArchive, type TestArchive } from '../support/apt-archive.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const KEY = createApkKey('builder@example.org-1.rsa.pub');
const OTHER = createApkKey('other@example.org-2.rsa.pub');
const http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });
const INDEX = '/v3/main/x86_64/APKINDEX.tar.gz';

let archive: TestArchive;
let directory: string;

beforeEach(async () => {
  archive = await startArchive();
  directory = await mkdtemp(join(tmpdir(), 'ingot-apk-'));
  archive.files.set(INDEX, await apkIndexFile([NEW], KEY));
  return async () => {
    await Promise.all([archive.stop(), rm(directory, { recursive: true, force: true })]);
  };
});

afterAll(() => http.close());

const OLD = { name: 'libssl3', version: '3.1.4-r5', origin: 'openssl' };
const NEW = { ...OLD, version: '3.1.4-r6' };

type Files = Record<string, string | Uint8Array>;

const image = (files: Files = {}): Files => ({
  '/lib/apk/db/installed': apkDatabase([OLD, { name: 'musl', version: '1.2.4-r2' }]),
  '/etc/apk/repositories': `${archive.address}v3/main\n`,
  '/etc/apk/world': 'musl\nlibssl3\n',
  '/etc/apk/arch': 'x86_64\n',
  [`/etc/apk/keys/${KEY.name}`]: KEY.pem,
  ...files,
});

const archivesOf = (options: { now?: () => Date; mirrors?: ArchiveMap; keyring?: Uint8Array } = {}) => {
  const { now = () => NOW, mirrors = {}, keyring } = options;
  const readKeyring = () => (keyring ? Promise.resolve(keyring) : Promise.reject(new Error('no keyring')));
  return createApkArchives({
    fetch: createArchiveFetch({ http, directory, retryDelays: [] }),
    ...{ mirrors, readKeyring, now },
  });
};

const ask = async (files: Files = image(), archives = archivesOf()) => archives.updates(await apkState(files), {});

const update = (fields: object = {}) => ({
  ...{ name: 'libssl3', source: 'openssl', from: '3.1.4-r5', to: '3.1.4-r6' },
  ...{ security: false, origin: `${archive.address}v3/main`, ...fields },
});

describe('an archive of apk packages', () => {
  test.each(['RSA', 'RSA256', 'RSA512'] as const)('is read when %s signs it', async (type) => {
    archive.files.set(INDEX, await apkIndexFile([NEW, { name: 'musl', version: '1.2.4-r2' }], KEY, type));

    expect(await ask()).toEqual([update()]);
  });

  test('is read for the architecture that most packages have, and from an image whose /lib is a link', async () => {
    const database = apkDatabase([OLD]);

    const files = image({ '/etc/apk/arch': '', '/lib/apk/db/installed': '', '/usr/lib/apk/db/installed': database });

    expect(await ask(files)).toEqual([update()]);
  });

  test('offers nothing that is older, or of another architecture', async () => {
    const packages = [
      { ...NEW, version: '3.1.4-r4' },
      { ...NEW, version: '3.1.5_rc1-r0', architecture: 'aarch64' },
    ];
    archive.files.set(INDEX, await apkIndexFile(packages, KEY));

    expect(await ask()).toEqual([]);
  });

  test('is asked once for all images, then conditionally, and not at all while it is fresh', async () => {
    let now = NOW;
    const archives = archivesOf({ now: () => now });

    await Promise.all([ask(image(), archives), ask(image({ '/etc/apk/world': 'musl' }), archives)]);
    now = new Date(NOW.getTime() + 60_000);
    await ask(image(), archives);
    now = new Date(NOW.getTime() + 600_000);
    await ask(image(), archives);

    expect(archive.requests).toEqual([`200 ${INDEX}`, `304 ${INDEX}`]);
    // Another process finds it on disk.
    expect(await ask()).toEqual([update()]);
    expect(archive.requests.at(-1)).toBe(`304 ${INDEX}`);
  });

  test('is asked at its mirror, which may sign by itself', async () => {
    archive.files.set('/copy/v3/main/x86_64/APKINDEX.tar.gz', await apkIndexFile([NEW], OTHER));
    const files = image({ '/etc/apk/repositories': 'https://dl.example.org/alpine/v3/main' });
    const mirror = { url: `${archive.address}copy/`, keyring: 'keys/other.pub' };
    const mirrors = { 'dl.example.org/alpine': mirror };

    const updates = await ask(files, archivesOf({ mirrors, keyring: OTHER.pem }));

    expect(updates).toEqual([update({ origin: 'https://dl.example.org/alpine/v3/main' })]);
  });
});

describe('what the image says of packages', () => {
  beforeEach(async () => {
    const edge = [
      { ...NEW, version: '3.3.0-r0' },
      { name: 'musl', version: '1.3.0-r0' },
    ];
    archive.files.set('/edge/main/x86_64/APKINDEX.tar.gz', await apkIndexFile(edge, KEY));
  });

  const world = (text: string) =>
    image({
      '/etc/apk/repositories': `# comment\n${archive.address}v3/main\n@edge ${archive.address}edge/main\n`,
      '/etc/apk/world': text,
    });

  test.each([
    ['nothing of tagged archives without a wish', 'musl libssl3', '3.1.4-r6'],
    ['a tagged archive for whom wishes it', 'musl libssl3@edge', '3.3.0-r0'],
    ['a version that is wished', 'musl libssl3=3.1.4-r6', '3.1.4-r6'],
    ['no version but the wished one', 'musl libssl3=3.1.4-r5', undefined],
    ['no version above a limit', 'musl libssl3@edge<3.2', '3.1.4-r6'],
    ['a version with a wished beginning', 'musl libssl3@edge~3.3', '3.3.0-r0'],
    ['no version with another beginning', 'musl libssl3~3.0', undefined],
    ['no version that is refused', 'musl !libssl3>3.1.4-r5', undefined],
    ['no version but that of a checksum', 'musl libssl3><Q1AAAA', undefined],
  ])('takes %s', async (_, text, to) => {
    const updates = await ask(world(text));

    expect(updates.find(({ name }) => name === 'libssl3')?.to).toBe(to);
    expect(updates.some(({ name }) => name === 'musl')).toBe(false);
  });

  test('counts repositories in folders, with variables, components and whole addresses of indexes', async () => {
    const files = image({
      '/etc/apk/repositories': '',
      '/etc/apk/repositories.d/10-own.list': `set MIRROR=${archive.address}\nv2 \${MIRROR} v3/main edge/main\n`,
      '/etc/apk/repositories.d/20-gone.list': '/local/path\n',
      '/etc/apk/repositories.d/20-gone.list.bak': 'http://gone.example.org\n',
    });

    const refused = expect(ask(files)).rejects.toThrow(
      '/etc/apk/repositories.d/20-gone.list in the image names /local/path',
    );
    const updates = await ask({
      ...files,
      '/etc/apk/repositories.d/20-gone.list': `${archive.address}v3/main/\${APK_ARCH}/APKINDEX.tar.gz`,
    });

    await refused;
    expect(updates.map(({ name, to }) => `${name} ${to}`)).toEqual(['libssl3 3.3.0-r0', 'musl 1.3.0-r0']);
  });
});

describe('an archive of apk packages that is not in order', () => {
  test.each([
    ['is not there', () => archive.files.delete(INDEX), 'unavailable', /APKINDEX.tar.gz is not there/],
    ['answers with an error', () => archive.instead.set(INDEX, { status: 503 }), 'unavailable', /answered 503/],
    [
      'is not signed',
      async () => archive.files.set(INDEX, await apkIndexFile([NEW])),
      'untrusted',
      /does not begin with a signature|is not signed/,
    ],
    [
      'is signed by somebody else',
      async () => archive.files.set(INDEX, await apkIndexFile([NEW], OTHER)),
      'untrusted',
      /signed with other@example.org-2.rsa.pub, which is not among the keys/,
    ],
    [
      'is signed by somebody else under a known name',
      async () => archive.files.set(INDEX, await apkIndexFile([NEW], { ...OTHER, name: KEY.name })),
      'untrusted',
      /does not fit its content/,
    ],
    ['was changed', () => archive.files.set(INDEX, changed(archive.files.get(INDEX)!)), 'untrusted', /does not fit/],
    [
      'has something after what is signed',
      async () => archive.files.set(INDEX, Buffer.concat([archive.files.get(INDEX)!, await apkIndexFile([NEW])])),
      'untrusted',
      /does not fit its content/,
    ],
    [
      'has a signed part after the first one',
      async () => {
        const both = Buffer.concat([await apkIndexFile([OLD]), await apkIndexFile([NEW])]);
        archive.files.set(INDEX, Buffer.concat([await signatureOf(both, KEY), both]));
      },
      'untrusted',
      /more parts than the signed one/,
    ],
    ['is cut off', () => archive.files.set(INDEX, archive.files.get(INDEX)!.subarray(0, 600)), 'untrusted', /trusted/],
    ['is a page of HTML', () => archive.files.set(INDEX, Buffer.from('<html>')), 'protocol', /is no package index/],
  ])('is unknown when it %s', async (_, spoil, code, message) => {
    await spoil();

    const error = await ask().catch((caught: unknown) => caught);

    expect(error).toMatchObject({ name: 'ArchiveError', code });
    expect((error as Error).message).toMatch(message);
  });

  test('is unknown when its signed part has no index', async () => {
    const part = gzipSync(await tarOf([['README', Buffer.from('x')]]));
    archive.files.set(INDEX, Buffer.concat([await signatureOf(part, KEY), part]));

    await expect(ask()).rejects.toThrow('has no file APKINDEX');
  });

  test('is unknown when it has only the binary index of apk 3', async () => {
    const files = image({ '/etc/apk/repositories': `v3 ${archive.address}v3/main\n` });

    await expect(ask(files)).rejects.toMatchObject({ code: 'protocol' });
  });

  test('is asked again by the next who needs it', async () => {
    const archives = archivesOf();
    archive.instead.set(INDEX, { status: 500 });
    await expect(ask(image(), archives)).rejects.toMatchObject({ code: 'unavailable', retryable: true });

    archive.instead.clear();

    expect(await ask(image(), archives)).toEqual([update()]);
  });
});

function changed(file: Uint8Array): Buffer {
  const copy = Buffer.from(file);
  copy[copy.length - 20]! ^= 1;
  return copy;
}

describe('the lists of apk packages', () => {
  const arm = '/v3/main/aarch64/APKINDEX.tar.gz';
  const both = async () => [
    await apkState(image()),
    await apkState(
      image({
        '/etc/apk/arch': 'aarch64\n',
        '/lib/apk/db/installed': apkDatabase([{ ...OLD, architecture: 'aarch64' }]),
      }),
    ),
  ];

  test('are the signed indexes of all platforms, as apk looks for them', async () => {
    archive.files.set(arm, await apkIndexFile([{ ...NEW, architecture: 'aarch64' }], KEY));
    const folder = await mkdtemp(join(directory, 'lists-'));

    const digest = await archivesOf().lists(await both(), folder);

    const expected = [INDEX, arm].flatMap((path) =>
      apkCacheNames(`${archive.address}${path.slice(1)}`).map((name) => [name, archive.files.get(path)]),
    );
    const found = (await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name))]);
    expect(Object.fromEntries(await Promise.all(found))).toEqual(Object.fromEntries(expected));
    archive.files.set(arm, await apkIndexFile([{ ...OLD, architecture: 'aarch64' }], KEY));
    expect(await archivesOf().lists(await both(), folder)).not.toBe(digest);
  });

  test('need a key that apk in the image knows, too', async () => {
    archive.files.set('/mirror/main/x86_64/APKINDEX.tar.gz', await apkIndexFile([NEW], OTHER));
    const mirrors = {
      [`${new URL(archive.address).host}/v3`]: { url: `${archive.address}mirror`, keyring: 'mirror.pub' },
    };
    const archives = archivesOf({ mirrors, keyring: OTHER.pem });

    expect(await ask(image(), archives)).toHaveLength(1);
    await expect(archives.lists([await apkState(image())], directory)).rejects.toMatchObject({ code: 'untrusted' });
  });
});
