import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { digestOf, hexOf } from '../../src/domain/digest.ts';
import { atDigest, atTag, type Reference } from '../../src/domain/reference.ts';
import { putArtifact } from '../../src/image/artifact.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { MEDIA_TYPES, type Registry } from '../../src/registry/registry.ts';
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.ts';
import { pushImage, pushJson } from '../support/images.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';

let server: TestRegistry;
let proxy: FaultyProxy;
let http: Http;
let registry: Registry;
let direct: Registry;
const waits: number[] = [];
let clock = Date.parse('2026-01-01T00:00:00Z');
const sleep = async (ms: number) => {
  waits.push(ms);
  clock += ms;
};
beforeAll(async () => {
  server = await startDistribution();
  proxy = await startFaultyProxy(server.address);
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 5_000 });
  direct = createRegistry({ http });
  registry = createRegistry({ http, sleep, now: () => clock, random: () => 0.5 });
});
afterAll(async () => {
  await Promise.all([http?.close(), proxy?.stop(), server?.stop()]);
});
afterEach(() => {
  proxy.reset();
  waits.length = 0;
});

const through = (name: string, tag = '1.0'): Reference => ({ registry: proxy.address, repository: name, tag });
const beside = (name: string, tag = '1.0'): Reference => ({ registry: server.address, repository: name, tag });
const pushed = (name: string) => pushImage(direct, beside(name));

test('asks again after a 429, when the registry says', async () => {
  const { digest } = await pushed('limited');
  proxy.inject({ times: 1, answer: { status: 429, headers: { 'retry-after': '7' } } });

  expect((await registry.head(through('limited')))!.digest).toBe(digest);

  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(7_000);
  expect(proxy.asked).toHaveLength(2);
});

test('understands Retry-After as a date', async () => {
  await pushed('dated');
  const date = new Date(clock + 5_000).toUTCString();
  proxy.inject({ times: 1, answer: { status: 429, headers: { 'retry-after': date } } });

  await registry.head(through('dated'));

  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(5_000);
});

test('does not wait for hours, and says until when the registry refuses', async () => {
  await pushed('hours');
  proxy.inject({ answer: { status: 429, headers: { 'retry-after': '3600' } } });

  const head = registry.head(through('hours'));

  await expect(head).rejects.toMatchObject({ code: 'rate-limited', retryable: true });
  expect(waits).toEqual([]);
  expect(proxy.asked).toHaveLength(1);
  await expect(registry.head(through('hours'))).rejects.toThrow(/allows no more requests before 2026-/);
  expect(proxy.asked).toHaveLength(1);
  clock += 3_600_000;
});

test('puts off pulls, and nothing else, when none remain', async () => {
  const { digest } = await pushed('spent');
  proxy.inject({ rewrite: (headers) => ({ ...headers, 'ratelimit-remaining': '0;w=21600' }) });
  await registry.manifest(through('spent'));

  await expect(registry.manifest(through('spent'))).rejects.toMatchObject({ code: 'rate-limited' });
  expect((await registry.head(through('spent')))!.digest).toBe(digest);
  clock += 60_000;
  expect((await registry.manifest(through('spent')))!.descriptor.digest).toBe(digest);
  clock += 60_000;
});

test.each([500, 502, 503, 504])('survives a few answers of %i', async (status) => {
  const { digest } = await pushed('down');
  proxy.inject({ times: 3, answer: { status } });

  expect((await registry.head(through('down')))!.digest).toBe(digest);

  expect(waits).toHaveLength(3);
});

test('gives up when the registry stays down: unknown, not absent', async () => {
  proxy.inject({ answer: { status: 503, body: '<html>token=abc</html>' } });

  const error = await registry.manifest(through('down')).catch((caught: Error) => caught);

  expect(error).toMatchObject({ code: 'unavailable', retryable: true });
  expect((error as Error).message).toMatch(/down:1\.0.* answered GET with 503/);
  expect((error as Error).message).not.toContain('token=abc');
  expect(proxy.asked).toHaveLength(4);
});

test('survives a connection that breaks, also in the middle of a body', async () => {
  const { digest } = await pushed('reset');
  proxy.inject({ times: 1, reset: 'at-once' }, { times: 1, reset: 'in-body' });

  expect((await registry.manifest(through('reset')))!.descriptor.digest).toBe(digest);

  expect(proxy.asked).toHaveLength(3);
});

test('reads a blob again whose connection broke', async () => {
  const content = Buffer.alloc(100_000, 'x');
  const blob = await direct.putBlob(beside('reset-blob'), content);
  proxy.inject({ times: 1, reset: 'in-body' });

  expect(Buffer.from(await registry.blob(through('reset-blob'), blob))).toEqual(content);
});

test('starts an upload anew when it breaks off', async () => {
  const content = Buffer.from('upload');
  proxy.inject({ on: ({ method }) => method === 'PUT', times: 1, answer: { status: 502 } });

  const blob = await registry.putBlob(through('upload'), content);

  expect(Buffer.from(await direct.blob(beside('upload'), blob))).toEqual(content);
  expect(proxy.asked.filter((line) => line.startsWith('POST'))).toHaveLength(2);
});

test('copies through when a mount is not granted', async () => {
  const { digest } = await pushed('staging/mount');
  const uploads = () => proxy.asked.filter((line) => line.startsWith('PUT') && line.includes('/blobs/'));

  await registry.copy(through('staging/mount'), through('mounted'));
  expect(uploads()).toEqual([]);

  proxy.inject({ forward: (path) => path.replace(/mount=[^&]*/, `mount=${digestOf('unknown')}`) });
  await registry.copy(through('staging/mount'), through('not-mounted'));
  expect(uploads()).toHaveLength(2);
  expect(proxy.asked.filter((line) => line.startsWith('POST') && !line.includes('mount='))).toEqual([]);
  expect((await direct.head(beside('not-mounted')))!.digest).toBe(digest);
});

test('follows a relative Location and keeps its parameters', async () => {
  const content = Buffer.from('relative');
  proxy.inject({
    on: ({ method }) => method === 'POST',
    rewrite: (headers) => {
      const { pathname, search } = new URL(String(headers.location));
      return { ...headers, location: `${pathname}${search}&kept=a%2Fb` };
    },
  });

  await registry.putBlob(through('relative'), content);

  const put = proxy.asked.find((line) => line.startsWith('PUT'))!;
  expect(put).toContain('_state=');
  expect(put).toContain('kept=a%2Fb');
  expect(put).toContain(`digest=${encodeURIComponent(digestOf(content))}`);
});

test('reads the manifest when a HEAD tells no digest', async () => {
  const { digest } = await pushed('undigested');
  proxy.inject({ drop: ['docker-content-digest'] });

  expect((await registry.head(through('undigested')))!.digest).toBe(digest);

  expect(proxy.asked.map((line) => line.split(' ')[0])).toEqual(['HEAD', 'GET']);
});

test('refuses bytes that are not those of the digest', async () => {
  const { digest } = await pushed('forged');
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [] });
  proxy.inject({ answer: { status: 200, headers: { 'content-type': MEDIA_TYPES.index }, body } });

  await expect(registry.manifest(atDigest(through('forged'), digest))).rejects.toMatchObject({
    code: 'digest-mismatch',
  });
  await expect(registry.blob(through('forged'), { digest, size: body.length })).rejects.toMatchObject({
    code: 'digest-mismatch',
  });
});

test('refuses a manifest that is served as something else', async () => {
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [] });
  proxy.inject({ answer: { status: 200, headers: { 'content-type': MEDIA_TYPES.manifest }, body } });

  await expect(registry.manifest(through('confused'))).rejects.toMatchObject({ code: 'protocol' });
});

test('ignores parameters of the content type', async () => {
  await pushed('parameters');
  proxy.inject({ rewrite: (headers) => ({ ...headers, 'content-type': `${headers['content-type']}; charset=utf-8` }) });

  expect((await registry.head(through('parameters')))!.mediaType).toBe(MEDIA_TYPES.manifest);
});

test('asks for tags that are known only whether they changed, where that is wanted and the registry has an ETag', async () => {
  const [first, second] = ['/v2/etags/tags/list', '/v2/etags/tags/list?last=a'];
  const page = (path: string, tags: string[], headers: Record<string, string>) => ({
    on: (asked: { path: string }) => asked.path === path,
    times: 1,
    answer: { status: 200, headers, body: JSON.stringify({ tags }) },
  });
  const unchanged = { on: ({ path }: { path: string }) => path === first, times: 1, answer: { status: 304 } };
  proxy.inject(
    page(first, ['a'], { etag: '"one"', link: `<${second}>; rel="next"` }),
    page(second, ['b'], {}),
    unchanged,
    page(second, ['b', 'c'], {}),
    page(first, ['d'], {}),
  );

  const known = { conditional: true };
  const lists = [await registry.tags(through('etags'), known), await registry.tags(through('etags'), known)];
  const always = await registry.tags(through('etags'));

  expect(lists).toEqual([
    ['a', 'b'],
    ['a', 'b', 'c'],
  ]);
  expect(always).toEqual(['d']);
  const listed = proxy.headers.filter((_, index) => proxy.asked[index]?.includes('/tags/list'));
  expect(listed.map((headers) => headers['if-none-match'])).toEqual([
    undefined,
    undefined,
    '"one"',
    undefined,
    undefined,
  ]);
});

test('reads all pages of tags, and stops when a page repeats', async () => {
  const page = (tags: string[], next: string) => ({
    times: 1,
    answer: { status: 200, headers: { link: `<${next}>; rel="next"` }, body: JSON.stringify({ tags }) },
  });
  const more = '/v2/pages/tags/list?last=b&n=2';
  proxy.inject(page(['b', 'a'], more), page(['d', 'c'], more), page(['d', 'c'], more));

  expect(await registry.tags(through('pages'))).toEqual(['a', 'b', 'c', 'd']);

  expect(proxy.asked).toHaveLength(3);
});

test('enters a referrer again that another client overwrote', async () => {
  const subject = await pushed('race');
  const fallback = `sha256-${hexOf(subject.digest)}`;
  const overwrite = async () => {
    const json = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.index,
      manifests: [{ ...subject, artifactType: 'other/type' }],
    };
    await pushJson(direct, atTag(beside('race'), fallback), { mediaType: MEDIA_TYPES.index, json });
  };
  const on = ({ method, path }: { method: string; path: string }) => method === 'PUT' && path.endsWith(fallback);
  proxy.inject({ on, times: 1, before: overwrite });
  const place = { registry: proxy.address, repository: 'race' };

  await putArtifact(registry, place, { artifactType: 'own/type', layers: [], subject });

  const listed = await direct.referrers(atDigest(beside('race'), subject.digest));
  expect(listed.map(({ artifactType }) => artifactType)).toEqual(['other/type', 'own/type']);
});

test('stops when the list of referrers is something else', async () => {
  const subject = await pushed('occupied');
  await pushImage(direct, beside('occupied', `sha256-${hexOf(subject.digest)}`));
  const place = { registry: proxy.address, repository: 'occupied' };

  const put = putArtifact(registry, place, { artifactType: 'own/type', layers: [], subject });

  await expect(put).rejects.toMatchObject({ code: 'protocol', retryable: false });
});

test('asks for the referrers API once in a repository that lacks it', async () => {
  const subject = await pushed('probe');

  for (let count = 0; count < 3; count++) await registry.referrers(atDigest(through('probe'), subject.digest));

  expect(proxy.asked.filter((line) => line.includes('/referrers/'))).toHaveLength(1);
});

test('does not take OCI-Subject for a referrers API', async () => {
  const subject = await pushed('claims');
  proxy.inject({
    on: ({ method }) => method === 'PUT',
    rewrite: (headers) => ({ ...headers, 'oci-subject': subject.digest }),
  });
  const place = { registry: proxy.address, repository: 'claims' };

  await putArtifact(registry, place, { artifactType: 'own/type', layers: [], subject });

  expect(await direct.referrers(atDigest(beside('claims'), subject.digest))).toHaveLength(1);
});

test('says of Docker Hub that a refusal may mean there is no such repository', async () => {
  proxy.inject({
    answer: { status: 401, body: '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}' },
  });

  await expect(registry.manifest(through('private'))).rejects.toMatchObject({
    code: 'unauthorised',
    retryable: false,
    message: expect.stringMatching(/private:1\.0.*401 UNAUTHORIZED: authentication required; check the name/),
  });
});

test('gives up while it waits when it is cancelled', async () => {
  const controller = new AbortController();
  const patient = createRegistry({ http });
  proxy.inject({ answer: { status: 503, headers: { 'retry-after': '20' } }, before: async () => {} });
  const head = patient.head(through('cancelled'), { signal: controller.signal });
  await expect.poll(() => proxy.asked.length).toBe(1);

  controller.abort();

  await expect(head).rejects.toMatchObject({ code: 'cancelled' });
});
