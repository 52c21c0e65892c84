import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ArchiveMap } from '../../src/domain/packages/archive-address.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createAptArchives } from '../../src/packages/apt.ts';
import { createArchiveFetch } from '../../src/packages/archive-fetch.ts';
import type { Archives } from '../../src/packages/archives.ts';
import {
  type ArchiveKey,
  createArchiveKey,
  dpkgStatus,
  publishSuite,
  startArchive,
  type TestArchive,
  type TestSuite,
} from '../support/apt-archive.ts';
import { aptState } from '../support/apt-state.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const KEYRING = '/usr/share/keyrings/example.gpg';

let archive: TestArchive;
let key: ArchiveKey;
let other: ArchiveKey;
let directory: string;
const http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });

beforeAll(async () => {
  [key, other] = await Promise.all([createArchiveKey(NOW), createArchiveKey(NOW)]);
});

beforeEach(async () => {
  archive = await startArchive();
  directory = await mkdtemp(join(tmpdir(), 'ingot-archives-'));
  return async () => {
    await Promise.all([archive.stop(), rm(directory, { recursive: true, force: true })]);
  };
});

afterAll(() => http.close());

const OPENSSL = { name: 'openssl', version: '3.0.1-1+deb12u1' };

const publish = (suite: Partial<TestSuite> = {}) =>
  publishSuite(archive, { suite: 'trunk', date: NOW, keys: [key], packages: [OPENSSL], ...suite });

const archivesOf = (options: { now?: () => Date; mirrors?: ArchiveMap; keyring?: Uint8Array } = {}): Archives => {
  const { now = () => NOW, mirrors = {}, keyring } = options;
  const readKeyring = () => (keyring ? Promise.resolve(keyring) : Promise.reject(new Error('no keyring')));
  return createAptArchives({
    fetch: createArchiveFetch({ http, directory, retryDelays: [] }),
    ...{ mirrors, readKeyring, now },
  });
};

type Files = Record<string, string | Uint8Array>;
const image = (files: Files = {}): Files => ({
  '/var/lib/dpkg/status': dpkgStatus([{ name: 'openssl', version: '3.0.1-1' }]),
  '/etc/apt/sources.list': `deb [signed-by=${KEYRING}] ${archive.address}debian trunk main\n`,
  [KEYRING]: key.binary,
  ...files,
});

const ask = async (files: Files = image(), archives = archivesOf()) => archives.updates(await aptState(files), {});

/** One stanza of openssl 3.0.1-1+deb12u1, as `xz -9` packs it. */
const XZ_INDEX =
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jMAQA9UGFja2FnZTogb3BlbnNzbApWZXJzaW9uOiAzLjAuMS0xK2RlYjEydTEKQXJjaGl0ZWN0dXJlOiBhbWQ2NAoAAAAWf9rx62V2YAABVj5SUgYNH7bzfQEAAAAABFla';

const UPDATE = {
  ...{ name: 'openssl', source: 'openssl', from: '3.0.1-1', to: '3.0.1-1+deb12u1' },
  ...{ security: false, origin: 'trunk' },
};

describe('an archive that is in order', () => {
  test('offers what is newer than what is installed', async () => {
    await publish();

    expect(await ask()).toEqual([UPDATE]);
  });

  test.each([
    ['Release and Release.gpg', { signature: 'detached' }],
    ['an index that is packed with zstd', { packing: '.zst' }],
    ['an index that is not packed', { packing: '' }],
    ['no index by hash', { fields: { 'Acquire-By-Hash': '' } }],
    ['a date until which it is valid', { fields: { 'Valid-Until': 'Mon, 01 Jun 2026 12:00:01 UTC' } }],
  ] as const)('is read with %s', async (_, suite) => {
    await publish(suite);

    expect(await ask()).toEqual([UPDATE]);
  });

  test('is read with indexes that xz packed', async () => {
    const packed = Buffer.from(XZ_INDEX, 'base64');
    await publish({ packing: '', indexes: { '.xz': packed } });
    archive.files.delete('/debian/dists/trunk/main/binary-amd64/Packages');

    expect(await ask()).toEqual([UPDATE]);
    expect(archive.requests.filter((line) => line.includes('by-hash'))).toHaveLength(1);
  });

  test('is read from the deb822 form of sources, with the key inside', async () => {
    await publish();
    const inline = Buffer.from(key.armored)
      .toString()
      .trim()
      .split(/\r?\n/)
      .map((line) => ` ${line || '.'}`)
      .join('\n');
    const stanza = `Types: deb deb-src\nURIs: ${archive.address}debian\nSuites: trunk\nComponents: main\nSigned-By:\n${inline}\n`;

    const files = image({ '/etc/apt/sources.list': '', '/etc/apt/sources.list.d/own.sources': stanza });

    expect(await ask(files)).toEqual([UPDATE]);
  });

  test('may be flat', async () => {
    await publish({ suite: './', root: '/flat/' });

    const files = image({ '/etc/apt/sources.list': `deb [signed-by=${KEYRING}] ${archive.address}flat ./\n` });

    expect(await ask(files)).toEqual([{ ...UPDATE, origin: './' }]);
  });

  test('says what comes from a suite of security updates, also when a later version has it', async () => {
    await publish({ suite: 'trunk-security' });
    await publish({ suite: 'trunk', packages: [{ ...OPENSSL, version: '3.0.2-1' }] });
    const source = (suite: string) => `deb [signed-by=${KEYRING}] ${archive.address}debian ${suite} main\n`;

    const both = await ask(image({ '/etc/apt/sources.list': source('trunk') + source('trunk-security') }));
    const one = await ask(image({ '/etc/apt/sources.list': source('trunk-security') }));

    expect(both).toEqual([{ ...UPDATE, to: '3.0.2-1', security: true, origin: 'trunk' }]);
    expect(one).toEqual([{ ...UPDATE, security: true, origin: 'trunk-security' }]);
  });

  test('has packages for all architectures in an index of their own', async () => {
    const packages = [{ name: 'tzdata', version: '2', architecture: 'all' }];
    await publish({ architectures: ['all', 'amd64'], packages, allApart: true });

    const files = image({
      '/var/lib/dpkg/status': dpkgStatus([{ name: 'tzdata', version: '1', architecture: 'all' }]),
    });

    expect((await ask(files)).map(({ to }) => to)).toEqual(['2']);
  });

  test('is asked for each architecture that an image takes', async () => {
    const packages = [OPENSSL, { ...OPENSSL, version: '3.0.9', architecture: 'i386' }];
    await publish({ architectures: ['amd64', 'i386'], packages });
    const installed = [
      { name: 'dpkg', version: '1' },
      { name: 'openssl', version: '3.0.1-1' },
      { name: 'openssl', version: '3.0.1-1', architecture: 'i386' },
    ];

    const updates = await ask(
      image({ '/var/lib/dpkg/status': dpkgStatus(installed), '/var/lib/dpkg/arch': 'amd64\ni386\n' }),
    );

    expect(updates.map(({ name, to }) => `${name} ${to}`)).toEqual(['openssl 3.0.1-1+deb12u1', 'openssl:i386 3.0.9']);
  });

  test('offers nothing for packages on hold, and nothing to images without sources', async () => {
    await publish();
    const held = dpkgStatus([{ name: 'openssl', version: '3.0.1-1', status: 'hold ok installed' }]);

    expect(await ask(image({ '/var/lib/dpkg/status': held }))).toEqual([]);
    expect(await ask(image({ '/etc/apt/sources.list': '# none\n' }))).toEqual([]);
  });

  test('is reached by way of its mirror, which may sign by itself', async () => {
    await publish({ root: '/mirror/debian/', keys: [other] });
    const files = image({
      '/etc/apt/sources.list': `deb [signed-by=${KEYRING}] http://deb.example.org/debian trunk main\n`,
    });
    const mirrors = { 'deb.example.org': { url: `${archive.address}mirror`, keyring: 'keys/mirror.gpg' } };

    const updates = await ask(files, archivesOf({ mirrors, keyring: other.armored }));

    expect(updates).toEqual([UPDATE]);
  });

  test('may redirect', async () => {
    await publish({ root: '/elsewhere/' });
    for (const path of archive.files.keys()) {
      archive.instead.set(path.replace('/elsewhere/', '/debian/'), { status: 302, location: path });
    }

    expect(await ask()).toEqual([UPDATE]);
  });
});

describe('what is asked for', () => {
  test('is each file once, however many images need it at once', async () => {
    await publish();
    const archives = archivesOf();

    await Promise.all(Array.from({ length: 20 }, () => ask(image(), archives)));

    expect(archive.requests).toHaveLength(2);
  });

  test('is nothing at all until the answer is old', async () => {
    await publish();
    let now = NOW;
    const archives = archivesOf({ now: () => now });
    await ask(image(), archives);
    archive.requests.length = 0;

    await ask(image(), archives);
    now = new Date(NOW.getTime() + 4 * 60_000);
    await ask(image(), archives);

    expect(archive.requests).toEqual([]);
  });

  test('is a list that may have changed, with its validator, and no index that did not', async () => {
    await publish();
    await ask();
    archive.requests.length = 0;

    await ask();

    expect(archive.requests).toEqual(['304 /debian/dists/trunk/InRelease']);
  });

  test('is the new list and its index when something changed', async () => {
    await publish();
    let now = NOW;
    const archives = archivesOf({ now: () => now });
    await ask(image(), archives);
    await publish({ packages: [{ ...OPENSSL, version: '3.0.1-1+deb12u2' }] });
    now = new Date(NOW.getTime() + 6 * 60_000);

    const updates = await ask(image(), archives);

    expect(updates.map(({ to }) => to)).toEqual(['3.0.1-1+deb12u2']);
    expect(archive.requests).toHaveLength(4);
  });

  test('is asked again after a failure, by the next who needs it', async () => {
    await publish();
    const archives = archivesOf();
    archive.instead.set('/debian/dists/trunk/InRelease', { status: 503 });
    await expect(ask(image(), archives)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    archive.instead.clear();

    expect(await ask(image(), archives)).toEqual([UPDATE]);
  });

  test('ends for one who gives up, not for the others', async () => {
    await publish();
    const archives = archivesOf();
    const state = await aptState(image());
    const others = archives.updates(state, {});

    await expect(archives.updates(state, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');

    expect(await others).toEqual([UPDATE]);
  });
});

describe('an archive is not trusted', () => {
  const inRelease = '/debian/dists/trunk/InRelease';
  const change = (path: string, from: string, to: string) => {
    const text = Buffer.from(archive.files.get(path)!).toString();
    expect(text).toContain(from);
    archive.files.set(path, Buffer.from(text.replace(from, to)));
  };
  const refusal = (files?: Files, archives?: Archives) =>
    ask(files, archives).then(
      () => 'trusted',
      (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
    );

  test('when a byte of its list was changed', async () => {
    await publish();
    change(inRelease, 'Label: Example', 'Label: Exemple');

    expect(await refusal()).toMatch(/^untrusted: .*does not fit its content/);
  });

  test('when a byte of its detached list was changed', async () => {
    await publish({ signature: 'detached' });
    change('/debian/dists/trunk/Release', 'Label: Example', 'Label: Exemple');

    expect(await refusal()).toMatch(/^untrusted: .*does not fit its content/);
  });

  test('for what stands around the signed text', async () => {
    await publish();
    const before = Buffer.from(archive.files.get(inRelease)!).toString();
    const index = Buffer.from(`Package: openssl\nVersion: 99\nArchitecture: amd64\n`);
    archive.files.set('/debian/dists/trunk/main/binary-amd64/Packages.gz', index);
    archive.files.set(inRelease, Buffer.from(`Origin: Evil\nSHA256:\n ${'0'.repeat(64)} 1 x\n\n${before}`));

    expect(['trusted', 'untrusted']).toContain((await refusal()).split(':')[0]);
    expect((await ask().catch(() => [])).map(({ to }) => to)).not.toContain('99');
  });

  test('when an index was changed', async () => {
    await publish();
    for (const path of archive.files.keys())
      if (/Packages|by-hash/.test(path)) archive.files.set(path, Buffer.from('x'));

    expect(await refusal()).toMatch(/^untrusted: .*not what the signed list/);
  });

  test('when nobody whom the image trusts signed it', async () => {
    await publish({ keys: [other] });

    expect(await refusal()).toContain(
      `it is signed by ${other.fingerprint.slice(-16)}, and none of the 1 trusted keys`,
    );
  });

  test('when its key has expired', async () => {
    const old = await createArchiveKey(NOW, 2);
    await publish({ keys: [old] });
    const later = new Date(NOW.getTime() + 3 * 86_400_000);

    expect(await refusal(image({ [KEYRING]: old.binary }))).toBe('trusted');
    expect(await refusal(image({ [KEYRING]: old.binary }), archivesOf({ now: () => later }))).toMatch(
      /^untrusted: .*expired/i,
    );
  });

  test('when its list is out of date, unless the image does not care', async () => {
    await publish({ fields: { 'Valid-Until': 'Mon, 01 Jun 2026 11:59:59 UTC' } });
    const careless = { '/etc/apt/apt.conf.d/10old': 'Acquire::Check-Valid-Until "false";\n' };

    expect(await refusal()).toMatch(/^untrusted: .*was valid until 2026-06-01T11:59:59/);
    expect(await refusal(image(careless))).toBe('trusted');
  });

  test('when it is not signed, also where the image asks for no signature', async () => {
    await publish({ signature: 'none' });
    const trusting = { '/etc/apt/sources.list': `deb [trusted=yes] ${archive.address}debian trunk main\n` };

    expect(await refusal()).toMatch(/^untrusted: .*is not signed/);
    expect(await refusal(image(trusting))).toMatch(/^untrusted: .*trusted=yes/);
  });

  test('by another key than the one that Signed-By names', async () => {
    await publish({ keys: [key] });
    const source = (fingerprint: string) => ({
      '/etc/apt/sources.list': `deb [signed-by=${fingerprint}] ${archive.address}debian trunk main\n`,
      '/etc/apt/trusted.gpg.d/both.gpg': Buffer.concat([key.binary, other.binary]),
    });

    expect(await refusal(image(source(key.fingerprint)))).toBe('trusted');
    expect(await refusal(image(source(other.fingerprint)))).toMatch(/^untrusted: .*Signed-By/);
  });

  test('when its keyring is not in the image, or the image has no keys at all', async () => {
    await publish();
    const { [KEYRING]: _, ...without } = image();

    expect(await refusal(without)).toMatch(/^untrusted: .*example\.gpg, which the image does not have/);
    expect(await refusal({ ...without, '/etc/apt/sources.list': `deb ${archive.address}debian trunk main\n` })).toMatch(
      /^untrusted: .*no keys/,
    );
  });
});

describe('an archive cannot be asked', () => {
  test.each([
    ['there is no such suite', 'deb [signed-by=KEY] ADDRESSdebian bogus main', /no Release file/],
    ['it is a folder of the image', 'deb [signed-by=KEY] file:/srv/packages ./', /cannot be asked from outside/],
    ['it does not answer', 'deb [signed-by=KEY] http://127.0.0.1:1/debian trunk main', /failed/],
  ])('when %s', async (_, line, message) => {
    await publish();
    const sources = line.replace('KEY', KEYRING).replace('ADDRESS', archive.address);

    const asked = ask(image({ '/etc/apt/sources.list': `${sources}\n` }));

    await expect(asked).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(message) });
  });

  test('and its address never shows a password', async () => {
    await publish();
    archive.instead.set('/debian/dists/trunk/InRelease', { status: 403 });
    const address = archive.address.replace('//', '//someone:hunter2@');

    const asked = ask(image({ '/etc/apt/sources.list': `deb [signed-by=${KEYRING}] ${address}debian trunk main\n` }));

    await expect(asked).rejects.toThrow(/answered 403/);
    await expect(asked).rejects.not.toThrow(/hunter2/);
  });
});
