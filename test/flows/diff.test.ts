import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diffLines } from '../../src/commands/diff-lines.ts';
import { diffMarkdown } from '../../src/commands/diff-markdown.ts';
import type { ChangedPlatform } from '../../src/domain/image-diff.ts';
import type { Platform } from '../../src/domain/platform.ts';
import { atDigest, atTag } from '../../src/domain/reference.ts';
import type { Finding, Package } from '../../src/domain/verdict.ts';
import { type DiffDeps, diffImages } from '../../src/flows/diff.ts';
import { attachNativeSbom } from '../../src/flows/release-content.ts';
import { readPackageState } from '../../src/image/package-state.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { type Cataloguer, ScannerError } from '../../src/scanner/scanner.ts';
import { pushImage, type TestImage } from '../support/images.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';

let server: TestRegistry;
let http: Http;
let registry: Registry;
beforeAll(async () => {
  server = await startDistribution();
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
  registry = createRegistry({ http });
});
afterAll(async () => {
  await Promise.all([http?.close(), server?.stop()]);
});

interface Native {
  readonly packages: readonly Package[];
  readonly findings: readonly Finding[];
}
const parse = (native: Uint8Array): Native => JSON.parse(Buffer.from(native).toString());
const missing: Cataloguer['catalogue'] = () => Promise.reject(new ScannerError('no syft', { code: 'unavailable' }));
const depsOf = (scan?: () => never, catalogue = missing): DiffDeps => ({
  registry,
  cataloguer: {
    name: 'json',
    catalogue,
    packages: (native) => parse(native).packages,
  },
  scanner: {
    name: 'json',
    database: () => Promise.reject(new Error('not asked')),
    async scan(native) {
      scan?.();
      const database = { id: 'x', built: '2026-01-01T00:00:00Z' };
      return { findings: parse(native).findings, database, scanner: { name: 'json', version: '1' } };
    },
  },
  stateOf: (reference, call) => readPackageState(registry, reference, call),
});

const pushed = async (name: string, image: TestImage, native?: Native) => {
  const reference = atTag({ registry: server.address, repository: name.split(':')[0]! }, name.split(':')[1]!);
  const { digest } = await pushImage(registry, reference, image);
  const options = { createdAt: '2026-01-01T00:00:00Z' };
  if (native) {
    await attachNativeSbom(registry, atDigest(reference, digest), Buffer.from(JSON.stringify(native)), options);
  }
  return { name, reference };
};
const diffOf = async (before: TestImage, after: TestImage, platforms: readonly Platform[] = []) =>
  diffImages([await pushed('image:a', before), await pushed('other/image:b', after)], platforms, depsOf());

const openssl = (version: string): Package => ({
  ...{ name: 'openssl', type: 'deb', source: 'openssl' },
  ...{ version, sourceVersion: version },
});
const finding = (id: string): Finding => ({
  ...{ id, severity: 'high', source: 'openssl', packages: ['openssl'], installed: '1' },
  fix: { state: 'unknown', versions: [] },
});

describe('the difference of two images', () => {
  test('has files, config and layers of each platform, across repositories', async () => {
    const before: TestImage = {
      files: [{ 'etc/motd': 'hello' }, { 'etc/x': 'x' }],
      platforms: ['linux/amd64', 'linux/arm64'],
    };
    const after: TestImage = { files: [{ 'etc/motd': 'hello' }, { 'etc/.wh.motd': '' }], env: ['A=1'] };

    const diff = await diffOf(before, after);

    expect(diff.platforms.map(({ platform, state }) => [platform, state])).toEqual([
      ['linux/amd64', 'changed'],
      ['linux/arm64', 'removed'],
    ]);
    expect(diff.platforms[0]).toMatchObject({
      sameContent: false,
      files: { added: [], removed: ['/etc/motd', '/etc/x'], changed: [] },
      config: [
        { key: 'Env.A', after: '1' },
        { key: 'Env.PATH', before: '/bin' },
      ],
      layers: { common: { count: 1 }, before: [{ createdBy: 'test' }], after: [{ createdBy: 'test' }] },
      packages: { from: 'files', changes: [] },
    });
  });

  test('is nothing for an image and itself, and only times for a rebuild', async () => {
    const files = { 'etc/motd': 'hello' };
    const same = await diffOf({ files }, { files });
    const rebuilt = await diffOf({ files }, { files, created: '2025-01-01T00:00:00Z' });

    expect(same.platforms).toMatchObject([{ state: 'same' }]);
    expect(diffLines(rebuilt)).toContain('linux/amd64: the same content, only times differ');
  });

  test('has packages by the files of the package manager where an SBOM is missing and none can be made', async () => {
    const status = (version: string) => ({
      'etc/debian_version': '12',
      'var/lib/dpkg/status': `Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`,
    });

    const diff = await diffOf({ files: status('3.0.1') }, { files: status('3.0.2') });

    expect((diff.platforms[0] as ChangedPlatform).packages).toEqual({
      from: 'files',
      changes: [{ name: 'openssl', type: 'deb', before: '3.0.1', after: '3.0.2' }],
    });
  });

  test('is of the wanted platforms alone, and refuses one that neither has', async () => {
    const both: TestImage = { platforms: ['linux/amd64', 'linux/arm64'] };

    const diff = await diffOf(both, both, ['linux/arm64']);

    expect(diff.platforms.map(({ platform }) => platform)).toEqual(['linux/arm64']);
    await expect(diffOf(both, both, ['linux/s390x'])).rejects.toThrow('they have linux/amd64, linux/arm64');
  });

  test('refuses an image that is not there', async () => {
    const there = await pushed('image:there', {});
    const gone = { name: 'x', reference: atTag(there.reference, 'gone') };

    await expect(diffImages([there, gone], [], depsOf())).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('with SBOMs', () => {
  const pair = async () =>
    [
      await pushed('sbom:1', { files: { a: '1' } }, { packages: [openssl('1')], findings: [finding('CVE-1')] }),
      await pushed('sbom:2', { files: { a: '2' } }, { packages: [openssl('2')], findings: [finding('CVE-2')] }),
    ] as const;

  test('packages and vulnerabilities are known, in text and Markdown', async () => {
    const diff = await diffImages(await pair(), [], depsOf());

    expect(diffLines(diff).map((line) => line.trim())).toEqual(
      expect.arrayContaining([
        'openssl 1 → 2',
        'CVE-1 (high) in openssl 1',
        'files (0 added, 0 removed, 1 changed):',
        '/: 1 changed: a',
      ]),
    );
    expect(diffMarkdown(diff)).toContain('| fixed | CVE-1 | high | openssl |');
    expect(diffMarkdown(diff)).toContain('| `openssl` | `1` | `2` |');
  });

  test('one that is missing is made', async () => {
    const [before] = await pair();
    const after = await pushed('sbom:none', { files: { a: '3' } });
    const native = Buffer.from(JSON.stringify({ packages: [openssl('3')], findings: [] }));
    const asked: string[] = [];
    const catalogue: Cataloguer['catalogue'] = async ({ digest = '' }, { platform }) => {
      asked.push(`${digest} ${platform}`);
      return { native, spdx: native };
    };

    const { platforms } = await diffImages([before, after], [], depsOf(undefined, catalogue));

    expect(asked).toEqual([`${(platforms[0] as ChangedPlatform).after} linux/amd64`]);
    expect(platforms[0]).toMatchObject({
      packages: { from: 'sbom', changes: [{ name: 'openssl', before: '1', after: '3' }] },
      vulnerabilities: { fixed: [{ id: 'CVE-1' }], added: [] },
    });
  });

  test('vulnerabilities that cannot be looked up are said to be unknown', async () => {
    const scan = () => {
      throw new ScannerError('no database', { code: 'no-database' });
    };

    const diff = await diffImages(await pair(), [], depsOf(scan));

    expect(diff.platforms[0]).toMatchObject({
      packages: { from: 'sbom' },
      notes: ['vulnerabilities could not be looked up: no database'],
    });
  });
});

test('names of files cannot steer a terminal', async () => {
  const diff = await diffOf({ files: { a: '1' } }, { files: { a: '1', 'b\u001b[2J': '' } });

  expect(diffLines(diff).join('\n')).toContain('b?[2J (added)');
});
