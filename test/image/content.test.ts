import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSameContent } from '../../src/domain/content-diff.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { atDigest, type Reference } from '../../src/domain/reference.ts';
import { compareContent } from '../../src/image/compare.ts';
import { readContent } from '../../src/image/content.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { pushImage, type TestFiles, type TestImage } from '../support/images.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';

let server: TestRegistry;
let http: Http;
let registry: Registry;
let asked: string[] = [];
beforeAll(async () => {
  server = await startDistribution();
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
  const real = createRegistry({ http });
  registry = {
    ...real,
    blobStream(reference, blob, call) {
      asked.push(blob.digest);
      return real.blobStream(reference, blob, call);
    },
  };
});
afterAll(async () => {
  await Promise.all([http?.close(), server?.stop()]);
});

const push = async (name: string, image: TestImage): Promise<Reference> => {
  const place = { registry: server.address, repository: name };
  return atDigest(place, (await pushImage(registry, place, image)).digest);
};
const compare = async (before: TestImage, after: TestImage) => {
  const pair = [await push('before', before), await push('after', after)] as const;
  asked = [];
  return (await compareContent(registry, pair)).diff;
};
const layers = (...files: TestFiles[]): TestImage => ({ files });
const zstd = (tar: Buffer) => ({
  bytes: zstdCompressSync(tar),
  mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd',
});

const BASE: TestFiles = {
  'etc/': { type: 'directory' },
  'etc/motd': 'hello',
  'usr/bin/': { type: 'directory' },
  'usr/bin/tool': { content: 'binary', mode: 0o755 },
  bin: { type: 'symlink', linkname: 'usr/bin' },
};

describe('content', () => {
  test('has a digest of each file, hard links too, and no content', async () => {
    const linked = { ...BASE, 'usr/bin/same': { type: 'link', linkname: 'usr/bin/tool' } } as const;

    const { files, config } = await readContent(registry, await push('content', layers(linked, { 'etc/empty': '' })));

    expect(files.get('/usr/bin/same')).toEqual(files.get('/usr/bin/tool'));
    expect(files.get('/usr/bin/tool')).toEqual({
      ...{ type: 'file', mode: 0o755, uid: 0, gid: 0, size: 6, digest: digestOf('binary') },
    });
    expect(files.get('/etc/empty')?.digest).toBe(digestOf(''));
    expect(config).toMatchObject({ config: { Env: ['PATH=/bin'] } });
  });
});

describe('comparing two images', () => {
  test('finds the same where only compression, times and layers differ', async () => {
    const diff = await compare(
      { ...layers(BASE, { 'etc/new': 'x' }), created: '2024-01-01T00:00:00Z' },
      { ...layers({ ...BASE, 'etc/new': 'x' }), created: '2025-01-01T00:00:00Z', compress: zstd },
    );

    expect(diff.config.map(({ key }) => key)).toEqual(['history']); // one layer less
    expect(diff.files).toEqual({ added: [], removed: [], changed: [], ignored: [] });
  });

  test('reads nothing of layers that both have when those above do the same', async () => {
    const above = { 'etc/new': 'x', 'etc/.wh.motd': '' };

    const diff = await compare(layers(BASE, above), { ...layers(BASE, above), created: '2025-01-01T00:00:00Z' });

    expect(isSameContent(diff)).toBe(true);
    expect(asked).toEqual([]);
  });

  test('reads layers that both have once when it must', async () => {
    const diff = await compare(layers(BASE, { 'bin/tool': 'other' }), layers(BASE, { 'etc/.wh.motd': '' }));

    expect(diff.files).toMatchObject({
      added: [],
      removed: ['/etc/motd'],
      changed: [{ path: '/usr/bin/tool', what: ['content', 'mode'] }],
    });
    expect(asked).toHaveLength(3);
  });

  test('a file that is written again as it was is no change', async () => {
    const diff = await compare(layers(BASE), layers(BASE, { 'etc/motd': 'hello' }));

    expect(diff.files.changed).toEqual([]);
  });

  test('a flipped mode bit is a change, also in a layer of its own', async () => {
    const diff = await compare(layers(BASE), layers(BASE, { 'usr/bin/tool': { content: 'binary', mode: 0o4755 } }));

    expect(diff.files.changed).toEqual([{ path: '/usr/bin/tool', what: ['mode'] }]);
  });

  test('nothing differs from itself', async () => {
    const diff = await compare(layers(BASE, { 'etc/x': 'y' }), layers(BASE, { 'etc/x': 'y' }));

    expect(isSameContent(diff)).toBe(true);
  });
});
