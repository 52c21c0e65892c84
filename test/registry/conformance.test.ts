import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import { atDigest, atTag, type Reference } from '../../src/domain/reference.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { type Descriptor, MEDIA_TYPES, type Registry } from '../../src/registry/registry.ts';
import type { RequestEvent } from '../../src/registry/transport.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { pushImage, pushJson } from '../support/images.ts';
import { startDistribution, startReferrersRegistry, type TestRegistry } from '../support/registry.ts';

/** As registries behind load balancers do: no host in the Location of uploads. */
async function startBehindProxy(): Promise<TestRegistry> {
  const server = await startDistribution();
  const proxy = await startFaultyProxy(server.address);
  proxy.inject({
    on: ({ method }) => method === 'POST',
    rewrite: ({ location, ...headers }) => {
      const { pathname, search } = new URL(String(location));
      return { ...headers, location: `${pathname}${search}` };
    },
  });
  const stop = async () => void (await Promise.all([proxy.stop(), server.stop()]));
  return { address: proxy.address, stop };
}

const KINDS = [
  { name: 'distribution 2.8 behind a proxy', start: startBehindProxy, deletesTags: false },
  { name: 'distribution 2.8', start: () => startDistribution(), deletesTags: false },
  { name: 'a registry with referrers', start: startReferrersRegistry, deletesTags: true },
];

describe.each(KINDS)('$name', ({ start, deletesTags }) => {
  let server: TestRegistry;
  let other: TestRegistry;
  let http: Http;
  let registry: Registry;
  const events: RequestEvent[] = [];
  beforeAll(async () => {
    [server, other] = await Promise.all([start(), startDistribution()]);
    http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
    registry = createRegistry({ http, onRequest: (event) => events.push(event) });
  });
  afterAll(async () => {
    await Promise.all([http?.close(), server?.stop(), other?.stop()]);
  });

  const repository = (name: string): Reference => ({ registry: server.address, repository: name });
  const elsewhere = (name: string): Reference => ({ registry: other.address, repository: name });
  const sent = async (work: () => Promise<unknown>): Promise<string[]> => {
    const from = events.length;
    await work();
    return events.slice(from).map(({ method, kind }) => `${method} ${kind}`);
  };

  test('tells what a tag points to with one HEAD', async () => {
    const tag = atTag(repository('head'), '1.0');
    const pushed = await pushImage(registry, tag);

    const requests = await sent(async () => expect(await registry.head(tag)).toEqual(pushed));

    expect(requests).toEqual(['HEAD manifest']);
  });

  test('has nothing to tell of what is not there', async () => {
    const absent = atTag(repository('absent'), '1.0');

    expect(await registry.head(absent)).toBeUndefined();
    expect(await registry.manifest(absent)).toBeUndefined();
    expect(await registry.tags(absent)).toEqual([]);
    expect(await registry.referrers(atDigest(absent, digestOf('none')))).toEqual([]);
  });

  test('gives the digest of an index, not that of one of its platforms', async () => {
    const tag = atTag(repository('index'), '1.0');
    const pushed = await pushImage(registry, tag, { platforms: ['linux/amd64', 'linux/arm64'] });

    expect(await registry.head(tag)).toEqual(pushed);
    expect(pushed.mediaType).toBe(MEDIA_TYPES.index);
  });

  test('gives back the exact bytes of a manifest', async () => {
    const tag = atTag(repository('bytes'), '1.0');
    const json = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [] };
    const bytes = Buffer.from(JSON.stringify(json, undefined, 7));

    const { digest } = await registry.putManifest(tag, { mediaType: MEDIA_TYPES.index, bytes });

    const stored = await registry.manifest(atDigest(tag, digest));
    expect(Buffer.from(stored!.bytes)).toEqual(bytes);
    expect(stored!.descriptor).toEqual({ mediaType: MEDIA_TYPES.index, digest, size: bytes.length });
  });

  test('uploads a blob once', async () => {
    const place = repository('blobs');
    const content = randomBytes(1000);

    const first = await sent(() => registry.putBlob(place, content));
    const second = await sent(() => registry.putBlob(place, content));

    expect(first).toEqual(['HEAD blob', 'POST upload', 'PUT upload']);
    expect(second).toEqual(['HEAD blob']);
    const blob = { digest: digestOf(content), size: content.length };
    expect(Buffer.from(await registry.blob(place, blob))).toEqual(content);
    const chunks = [];
    for await (const chunk of await registry.blobStream(place, blob)) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(content);
  });

  test('refuses a blob that is larger than allowed, or not there', async () => {
    const place = repository('limits');
    const { digest, size } = await registry.putBlob(place, randomBytes(100));

    await expect(registry.blob(place, { digest, size }, { limit: 99 })).rejects.toThrow('more than the 99 allowed');
    const missing = { digest: digestOf('missing'), size: 1 };
    await expect(registry.blob(place, missing)).rejects.toMatchObject({ code: 'missing-content', retryable: false });
  });

  test('lists tags sorted', async () => {
    const place = repository('tags');
    for (const tag of ['b', 'a', '10', '9']) await pushImage(registry, atTag(place, tag));

    expect(await registry.tags(place)).toEqual(['10', '9', 'a', 'b']);
  });

  test('lists referrers with type and annotations, also those that were pushed at once', async () => {
    const place = repository('referrers');
    const subject = await pushImage(registry, atTag(place, '1.0'));
    const of = atDigest(place, subject.digest);

    const pushed = await Promise.all([0, 1, 2, 3, 4].map((number) => pushReferrer(registry, place, subject, number)));
    await pushReferrer(registry, place, subject, 0);

    const listed = await registry.referrers(of);
    expect(listed).toHaveLength(5);
    expect(new Set(listed.map(({ digest }) => digest))).toEqual(new Set(pushed.map(({ digest }) => digest)));
    const third = await registry.referrers(of, { artifactType: 'application/vnd.test.3' });
    expect(third.map(({ artifactType, annotations }) => ({ artifactType, annotations }))).toEqual([
      { artifactType: 'application/vnd.test.3', annotations: { number: '3' } },
    ]);
  });

  test('keeps a referrer that another client entered', async () => {
    const place = repository('referrers-of-two');
    const subject = await pushImage(registry, atTag(place, '1.0'));
    const rival = createRegistry({ http });

    for (const number of [0, 2, 4]) {
      await pushReferrer(registry, place, subject, number);
      await pushReferrer(rival, place, subject, number + 1);
    }

    const listed = await registry.referrers(atDigest(place, subject.digest));
    expect(listed.map(({ artifactType }) => artifactType).sort()).toEqual(
      [0, 1, 2, 3, 4, 5].map((number) => `application/vnd.test.${number}`),
    );
  });

  test('copies an index within the registry and to another one, bit for bit', async () => {
    const from = atTag(repository('staging/copy'), '1.0');
    const pushed = await pushImage(registry, from, { platforms: ['linux/amd64', 'linux/arm64'] });

    for (const to of [atTag(repository('copy'), 'latest'), atTag(elsewhere('copy'), 'latest')]) {
      expect(await registry.copy(from, to)).toEqual(pushed);
      expect(await registry.head(to)).toEqual(pushed);
      await expectWhole(registry, atDigest(to, pushed.digest));
    }
  });

  test('copies by digest alone, without a tag', async () => {
    const from = atTag(repository('staging/untagged'), '1.0');
    const pushed = await pushImage(registry, from);
    const to = elsewhere('untagged');

    await registry.copy(atDigest(from, pushed.digest), to);

    expect(await registry.tags(to)).toEqual([]);
    await expectWhole(registry, atDigest(to, pushed.digest));
  });

  test('copies one platform of an index', async () => {
    const from = atTag(repository('staging/platform'), '1.0');
    await pushImage(registry, from, { platforms: ['linux/amd64', 'linux/arm64'] });
    const index = JSON.parse(Buffer.from((await registry.manifest(from))!.bytes).toString());
    const child: Digest = index.manifests[1].digest;

    const copied = await registry.copy(atDigest(from, child), atTag(elsewhere('platform'), 'mirror'));

    expect(copied.digest).toBe(child);
    await expectWhole(registry, atDigest(elsewhere('platform'), child));
  });

  test('copies no blob a second time', async () => {
    const from = atTag(repository('staging/again'), '1.0');
    await pushImage(registry, from);
    const to = atTag(elsewhere('again'), '1.0');
    await registry.copy(from, to);

    const requests = await sent(() => registry.copy(from, to));

    expect(requests).toEqual(['GET manifest', 'HEAD manifest', 'PUT manifest']);
  });

  test('says what is missing when a part of an image is not there', async () => {
    const place = atTag(repository('broken'), '1.0');
    const blob = { mediaType: MEDIA_TYPES.config, digest: digestOf('nowhere'), size: 7 };
    const json = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: blob, layers: [] };

    const push = pushJson(registry, place, { mediaType: MEDIA_TYPES.manifest, json });

    if (deletesTags) return void (await push.catch(() => undefined)); // takes manifests without looking at blobs
    await expect(push).rejects.toMatchObject({ code: 'missing-content', retryable: false });
  });

  test('removes by digest, and by tag only where no other tag suffers', async () => {
    const place = repository('removal');
    const { digest } = await pushImage(registry, atTag(place, 'one'));
    await pushImage(registry, atTag(place, 'two'));

    expect(await registry.remove(atTag(place, 'one'))).toBe(deletesTags);
    expect(await registry.head(atTag(place, 'two'))).toMatchObject({ digest });
    expect(await registry.remove(atDigest(place, digest))).toBe(true);
    expect(await registry.head(atDigest(place, digest))).toBeUndefined();
    expect(await registry.remove(atDigest(place, digest))).toBe(true);
  });

  test('stops when it is cancelled', async () => {
    const reason = AbortSignal.abort();

    const head = registry.head(atTag(repository('head'), '1.0'), { signal: reason });

    await expect(head).rejects.toMatchObject({ code: 'cancelled' });
  });
});

async function pushReferrer(registry: Registry, place: Reference, subject: Descriptor, number: number) {
  const config = await registry.putBlob(place, Buffer.from('{}'), { mediaType: MEDIA_TYPES.empty });
  const artifactType = `application/vnd.test.${number}`;
  const annotations = { number: String(number) };
  const json = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    artifactType,
    config,
    layers: [config],
    subject,
    annotations,
  };
  return pushJson(registry, place, { mediaType: MEDIA_TYPES.manifest, json });
}

async function expectWhole(registry: Registry, reference: Reference): Promise<void> {
  const manifest = JSON.parse(Buffer.from((await registry.manifest(reference))!.bytes).toString());
  for (const { digest } of manifest.manifests ?? []) await expectWhole(registry, atDigest(reference, digest));
  for (const blob of manifest.config ? [manifest.config, ...manifest.layers] : []) await registry.blob(reference, blob);
}
