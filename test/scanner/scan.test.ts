import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildDatabase } from '../../scripts/demo/advisories.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { createGrype } from '../../src/scanner/grype.ts';
import type { Sbom } from '../../src/scanner/scanner.ts';
import { createSyft } from '../../src/scanner/syft.ts';
import { type BuilderScene, startBuilderScene } from '../support/builder-scene.ts';

const TOOLS = join(import.meta.dirname, '..', '..', '.tools', 'bin');
const grype = join(TOOLS, 'grype');
const syft = createSyft({ syft: join(TOOLS, 'syft') });

const AMD64 = { platform: 'linux/amd64' } as const;

const STATUS = `Package: libcurl4
Status: install ok installed
Architecture: amd64
Source: curl
Version: 7.88.1-10+deb12u5

Package: curl
Status: install ok installed
Architecture: amd64
Version: 7.88.1-10+deb12u5

`;

const ADVISORY = {
  ID: 'CVE-2025-0001',
  Distro: 'debian:12',
  Package: 'curl',
  Fixed: '7.88.1-10+deb12u9',
  Severity: 'High',
  FixedAt: '2025-02-03',
  Description: 'a test',
} as const;

let scene: BuilderScene;
let image: Awaited<ReturnType<BuilderScene['image']>>;
let sbom: Sbom;
let archive: string;
let folder: string;

beforeAll(async () => {
  scene = await startBuilderScene();
  folder = await mkdtemp(join(tmpdir(), 'ingot-scan-test-'));
  image = await scene.image('staging/deb', {
    Dockerfile: 'FROM scratch\nCOPY os-release /etc/os-release\nCOPY status /var/lib/dpkg/status\n',
    'os-release': 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
    status: STATUS,
  });
  sbom = await syft.catalogue(image, AMD64);
  archive = await buildDatabase([ADVISORY], join(folder, 'database'), { advdb: join(TOOLS, 'advdb') });
});
afterAll(async () => {
  await scene?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('syft', () => {
  it('lists the packages of an image in the registry', () => {
    expect(syft.packages(sbom.native).map(({ name, source }) => [name, source])).toEqual([
      ['curl', 'curl'],
      ['libcurl4', 'curl'],
    ]);
  });

  it('gives the same documents twice, named after the image and not after where it lies', async () => {
    const again = await syft.catalogue(image, AMD64);

    const spdx = Buffer.from(again.spdx).toString('utf8');
    expect(spdx).toBe(Buffer.from(sbom.spdx).toString('utf8'));
    expect(Buffer.from(again.native).equals(sbom.native)).toBe(true);
    expect(spdx).not.toContain(scene.registry);
    expect(JSON.parse(spdx)).toMatchObject({ name: 'deb', creationInfo: { created: '2023-11-14T22:13:20Z' } });
  });

  it('fails for an image that is not there, and tells a registry that does not answer', async () => {
    const missing = { ...image, digest: digestOf('nothing') };
    const silent = { ...image, registry: '127.0.0.1:1' };

    await expect(syft.catalogue(missing, AMD64)).rejects.toMatchObject({ code: 'tool-failed', retryable: false });
    await expect(syft.catalogue(silent, AMD64)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  });

  it('shows the credentials of the given Docker configuration to the registry', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer(({ headers }, response) => {
      seen.push(headers.authorization);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const auth = Buffer.from('ana:geheim').toString('base64');
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [registry]: { auth } } }));

    const cataloguer = createSyft({ syft: join(TOOLS, 'syft'), dockerConfig: folder });
    const error = await cataloguer
      .catalogue({ ...image, registry }, { platform: 'linux/amd64' })
      .catch((cause) => cause);

    server.close();
    expect(seen).toContain(`Basic ${auth}`);
    expect(error.message).not.toContain('geheim');
  });
});

describe('grype', () => {
  const scanner = (name: string, database: string | undefined = archive) =>
    createGrype({ grype, databaseDirectory: join(folder, name), database });

  it('finds what the configured database says, by source package', async () => {
    const report = await scanner('find').scan(sbom.native);

    expect(report.findings).toEqual([
      expect.objectContaining({
        id: 'CVE-2025-0001',
        severity: 'high',
        source: 'curl',
        packages: ['curl', 'libcurl4'],
        fix: { state: 'fixed', versions: ['7.88.1-10+deb12u9'], since: '2025-02-03' },
      }),
    ]);
    expect(report.database).toEqual(await scanner('find').database());
    expect(report.database.id).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('imports a database once, however many ask at the same time', async () => {
    const reports = await Promise.all([1, 2, 3].map(() => scanner('race').scan(sbom.native)));

    expect(reports.map(({ findings }) => findings.length)).toEqual([1, 1, 1]);
    expect(await readdir(join(folder, 'race'))).toEqual([expect.stringMatching(/^sha256-/)]);
  });

  it('takes up another database when the archive changes, and clears old ones away', async () => {
    const path = join(folder, 'current.tar.zst');
    const second = await buildDatabase([{ ...ADVISORY, ID: 'CVE-2025-9999' }], join(folder, 'second'), {
      advdb: join(TOOLS, 'advdb'),
    });
    const changing = scanner('change', path);
    const old = join(folder, 'change', '.import-killed');
    await mkdir(old, { recursive: true });
    await utimes(old, 0, 0);

    await copyFile(archive, path);
    const before = await changing.scan(sbom.native);
    await copyFile(second, path);
    const after = await changing.scan(sbom.native);

    expect([before, after].map(({ findings }) => findings[0]?.id)).toEqual(['CVE-2025-0001', 'CVE-2025-9999']);
    expect(after.database.id).not.toBe(before.database.id);
    expect(await readdir(join(folder, 'change'))).not.toContain('.import-killed');
  });

  it('takes an archive from an address', async () => {
    const content = await readFile(archive);
    const server = createServer((_, response) => response.end(content)).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/database.tar.zst`;

    const { findings, database } = await scanner('url', url).scan(sbom.native);

    server.close();
    expect(findings).toHaveLength(1);
    expect(database.id).toMatch(/^xxh64:/);
  });

  it('says what to do when there is no database, or none that can be used', async () => {
    await writeFile(join(folder, 'broken.tar.zst'), 'no archive');

    await expect(scanner('none', join(folder, 'nothing.tar.zst')).database()).rejects.toMatchObject({
      code: 'no-database',
    });
    await expect(scanner('none', join(folder, 'broken.tar.zst')).database()).rejects.toMatchObject({
      code: 'tool-failed',
    });
    await expect(scanner('none', 'http://127.0.0.1:1/x.tar.zst').database()).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    });
    expect(await readdir(join(folder, 'none'))).toEqual([]);
  });

  it('ends when it is cancelled', async () => {
    await expect(scanner('cancel').scan(sbom.native, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});
