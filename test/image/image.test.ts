import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { atDigest, atTag, type Reference } from '../../src/domain/reference.ts';
import { getArtifact, putArtifact } from '../../src/image/artifact.ts';
import { readConfig } from '../../src/image/config.ts';
import { readTree } from '../../src/image/files.ts';
import { resolveImage } from '../../src/image/resolve.ts';
import { lookup } from '../../src/image/tree.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { MEDIA_TYPES, type Registry } from '../../src/registry/registry.ts';
import { pushImage, pushJson, type TestFiles, type TestImage } from '../support/images.ts';
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

const at = (name: string, tag = '1.0'): Reference => ({ registry: server.address, repository: name, tag });
const push = async (name: string, image: TestImage = {}) => {
  const descriptor = await pushImage(registry, at(name), image);
  return atDigest(at(name), descriptor.digest);
};

describe('resolving an image', () => {
  test('finds the wanted platforms of an index, and when it was created', async () => {
    const reference = await push('index', {
      platforms: ['linux/amd64', 'linux/arm64', 'linux/arm/v7'],
      created: '2025-02-03T04:05:06Z',
    });

    const resolved = await resolveImage(registry, at('index'), ['linux/arm64', 'linux/amd64', 'linux/s390x']);

    expect(resolved).toMatchObject({ digest: reference.digest, created: '2025-02-03T04:05:06Z' });
    expect(Object.keys(resolved!.platforms).sort()).toEqual(['linux/amd64', 'linux/arm64']);
  });

  test('takes the platform of a single manifest from its config', async () => {
    const reference = await push('single', { platforms: ['linux/arm64'] });

    const resolved = await resolveImage(registry, at('single'), ['linux/amd64', 'linux/arm64']);

    expect(resolved!.mediaType).toBe(MEDIA_TYPES.manifest);
    expect(resolved!.platforms['linux/arm64']!.digest).toBe(reference.digest);
    expect(resolved!.platforms['linux/amd64']).toBeUndefined();
  });

  test('passes over attestations, and knows arm64/v8 as arm64', async () => {
    const to = at('attested');
    const place = { registry: to.registry, repository: to.repository };
    const amd64 = await pushImage(registry, place, { platforms: ['linux/amd64'] });
    const arm64 = await pushImage(registry, place, { platforms: ['linux/arm64'] });
    const attestation = await pushImage(registry, place, { files: { 'in-toto.json': '{}' } });
    const manifests = [
      {
        ...attestation,
        platform: { os: 'linux', architecture: 'amd64' },
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      },
      { ...attestation, platform: { os: 'unknown', architecture: 'unknown' } },
      { ...amd64, platform: { os: 'linux', architecture: 'amd64' } },
      { ...arm64, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
    ];
    await pushJson(registry, to, {
      mediaType: MEDIA_TYPES.index,
      json: { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests },
    });

    const { platforms } = (await resolveImage(registry, to, ['linux/amd64', 'linux/arm64']))!;

    expect(platforms['linux/amd64']!.digest).toBe(amd64.digest);
    expect(platforms['linux/arm64']!.digest).toBe(arm64.digest);
  });

  test('tells an absent image from one without the platforms', async () => {
    await push('no-platform');

    expect(await resolveImage(registry, at('nowhere'), ['linux/amd64'])).toBeUndefined();
    expect((await resolveImage(registry, at('no-platform'), ['linux/arm64']))!.platforms).toEqual({});
  });
});

describe('reading a config', () => {
  test('gives user, environment, layers and compressed size', async () => {
    const reference = await push('config', { user: '10001', env: ['A=b'], files: [{ a: '1' }, { b: '2' }] });

    const { config, layers, size } = await readConfig(registry, reference);

    expect(config.config).toMatchObject({ User: '10001', Env: ['A=b'] });
    expect(config).toMatchObject({ os: 'linux', architecture: 'amd64' });
    expect(layers).toHaveLength(2);
    expect(size).toBe(layers[0]!.size + layers[1]!.size);
  });

  test('takes the nulls that Docker writes as unset', async () => {
    const to = at('nulls');
    const text = JSON.stringify({ os: 'linux', architecture: 'amd64', config: { Env: null, User: '' }, history: null });
    const config = await registry.putBlob(to, Buffer.from(text), { mediaType: MEDIA_TYPES.config });
    await pushJson(registry, to, {
      mediaType: MEDIA_TYPES.manifest,
      json: { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers: [] },
    });

    const read = await readConfig(registry, to);

    expect(read.config.config.Env).toBeUndefined();
    expect(read.config.history).toEqual([]);
  });

  test('refuses an index and what is not there', async () => {
    await push('config-index', { index: true });

    await expect(readConfig(registry, at('config-index'))).rejects.toMatchObject({ code: 'protocol' });
    await expect(readConfig(registry, at('config-nowhere'))).rejects.toMatchObject({ code: 'missing-content' });
  });
});

describe('reading the files', () => {
  const files: TestFiles[] = [
    {
      'etc/': { type: 'directory' },
      'etc/passwd': 'root:x:0:0\n',
      'etc/shadow': { content: 'secret', mode: 0o640, gid: 42 },
      'usr/bin/su': { content: 'elf', mode: 0o4755 },
      'usr/bin/su-link': { type: 'link', linkname: 'usr/bin/su' },
      bin: { type: 'symlink', linkname: 'usr/bin' },
      'var/cache/old': 'x',
      'var/log/old': 'x',
    },
    { 'etc/.wh.shadow': '', 'var/cache/.wh..wh..opq': '', 'var/cache/new': 'y', './bin/tool': 'z'.repeat(100) },
  ];

  test.each([
    ['gzip', undefined],
    [
      'zstd',
      (tar: Buffer) => ({ bytes: zstdCompressSync(tar), mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd' }),
    ],
    ['no compression', (tar: Buffer) => ({ bytes: tar, mediaType: 'application/vnd.oci.image.layer.v1.tar' })],
  ])('lays layers with %s over each other', async (name, compress) => {
    const reference = await push(`files-${name.replace(' ', '-')}`, { files, ...(compress && { compress }) });

    const tree = await readTree(registry, reference, { wanted: (path) => path !== '/etc/shadow', maxFileBytes: 50 });

    expect([...tree.keys()].sort()).toEqual([
      ...['/bin', '/etc', '/etc/passwd', '/usr/bin/su', '/usr/bin/su-link', '/usr/bin/tool'],
      ...['/var/cache/new', '/var/log/old'],
    ]);
    expect(Buffer.from(lookup(tree, '/etc/passwd')!.content!).toString()).toBe('root:x:0:0\n');
    expect(tree.get('/usr/bin/su-link')).toMatchObject({ type: 'file', mode: 0o4755, size: 3 });
    expect(lookup(tree, '/bin/tool')).toMatchObject({ type: 'file', size: 100 });
    expect(lookup(tree, '/bin/tool')!.content).toBeUndefined();
  });

  test('keeps no content unless it is wanted', async () => {
    const reference = await push('unwanted', { files });

    const tree = await readTree(registry, reference);

    expect([...tree.values()].filter(({ content }) => content !== undefined)).toEqual([]);
  });

  test('fails on a layer that is cut off', async () => {
    const cut = (tar: Buffer) => ({ bytes: tar.subarray(0, 700), mediaType: 'application/vnd.oci.image.layer.v1.tar' });
    const reference = await push('cut', { files: { a: 'x'.repeat(600) }, compress: cut });

    await expect(readTree(registry, reference)).rejects.toThrow();
  });

  test('reads a layer of no bytes as no change', async () => {
    const none = () => ({ bytes: Buffer.alloc(0), mediaType: 'application/vnd.oci.image.layer.v1.tar' });
    const reference = await push('empty-layer', { compress: none });

    expect((await readTree(registry, reference)).size).toBe(0);
  });
});

describe('artifacts', () => {
  test('are found as referrers of their subject, with their documents', async () => {
    const subject = await pushImage(registry, at('artifacts'));
    const place = { registry: server.address, repository: 'artifacts' };
    const layers = [
      { mediaType: 'application/json', content: Buffer.from('{"a":1}'), annotations: { title: 'a' } },
      { mediaType: 'text/plain', content: Buffer.from('b') },
    ];

    await putArtifact(registry, place, { artifactType: 'application/vnd.test+json', layers, subject });

    const [listed, ...more] = await registry.referrers(atDigest(place, subject.digest));
    expect(more).toEqual([]);
    expect(listed!.artifactType).toBe('application/vnd.test+json');
    const stored = await getArtifact(registry, atDigest(place, listed!.digest));
    expect(stored!.manifest.subject!.digest).toBe(subject.digest);
    expect(stored!.layers.map((layer) => ({ ...layer, content: Buffer.from(layer.content) }))).toEqual(layers);
  });

  test('stand under a tag as well, and may have no documents', async () => {
    await putArtifact(registry, at('notes', 'note'), { artifactType: 'application/vnd.note', layers: [] });

    expect((await getArtifact(registry, at('notes', 'note')))!.layers).toEqual([]);
    expect(await getArtifact(registry, atTag(at('notes'), 'other'))).toBeUndefined();
  });
});
