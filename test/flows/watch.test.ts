import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import { sourceOf } from '../../src/domain/fleet/sources.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { watchUpstreams } from '../../src/flows/watch.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.ts';
import { fleetFiles } from '../support/fleet-files.ts';
import { pushImage } from '../support/images.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;
const signal = new AbortController().signal;

let scene: StandingScene;
let proxy: FaultyProxy;
let http: Http;
let registry: Registry;
beforeAll(async () => {
  scene = await startStandingScene();
  proxy = await startFaultyProxy(scene.repository('any').registry);
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 5_000 });
  registry = createRegistry({ http, limits: { attempts: 1 } });
});
afterAll(async () => {
  await Promise.all([http?.close(), proxy?.stop()]);
  await scene?.stop();
});
afterEach(() => proxy.reset());

/** A fleet whose upstreams are read through the proxy, below a path of the test's own. */
function setUp(name: string, images: Readonly<Record<string, string>>) {
  const definitions = Object.entries(images).map(([image, from]) => [
    `images/${image}/image.yaml`,
    `line: "22"\nfrom: ${from}\nuser: 10001\n`,
  ]);
  const fleet = parseFleet(
    fleetFiles({
      'ingot.yaml': `fleet: acme\nupstreams: { docker.io/library: "${proxy.address}/${name}" }\n`,
      ...Object.fromEntries(definitions),
    }),
  );
  let now = '2026-11-01T00:00:00Z';
  const deps = {
    registry,
    ledger: scene.ledger,
    sourceOf: (reference: Parameters<typeof sourceOf>[0]) => sourceOf(reference, fleet.settings),
    now: () => now,
  };
  return {
    push: async (image: string, edition = image, created?: string) => {
      const { digest } = await pushImage(registry, parseReference(`${proxy.address}/${name}/${image}`), {
        platforms: PLATFORMS,
        files: { 'etc/edition': `${name} ${edition}` },
        ...(created && { created }),
      });
      return digest;
    },
    watch: async (time: string, only?: readonly string[]) => {
      now = time;
      proxy.reset();
      const upstreams = await watchUpstreams(fleet, deps, signal, only && { only });
      return Object.fromEntries(upstreams);
    },
    observed: (upstream: string) => scene.ledger.observation(upstream),
  };
}

const NODE = 'docker.io/library/node:{22.x}-slim';
const slim = '{ image: node, track: 22.x, suffix: -slim }';

describe('tags that are tracked', () => {
  test('move on when upstream adds one, seen for the first time then', async () => {
    const { push, watch } = setUp('adds', { a: slim });
    const ten = await push('node:22.10.0-slim');
    await push('node:22-slim', 'moving');
    const before = await watch('2026-11-01T00:00:00Z');
    const eleven = await push('node:22.11.0-slim');
    await push('node:24.0.0-slim');

    const after = await watch('2026-11-02T00:00:00Z');

    expect(before[NODE]).toMatchObject({ state: 'known', value: { digest: ten, tag: '22.10.0-slim' } });
    expect(before[NODE]).not.toHaveProperty('value.newer');
    expect(after[NODE]).toMatchObject({
      state: 'known',
      value: { digest: eleven, tag: '22.11.0-slim', newer: '24.0.0-slim', firstSeenAt: '2026-11-02T00:00:00Z' },
    });
    expect(Object.keys((after[NODE] as { value: { platforms: object } }).value.platforms)).toEqual([...PLATFORMS]);
  });

  test('keep what is known of their content when only the tag is new', async () => {
    const { push, watch, observed } = setUp('renamed', { a: slim });
    await push('node:22.10.0-slim', 'same');
    const before = await watch('2026-11-01T00:00:00Z');
    await push('node:22.11.0-slim', 'same');

    const after = await watch('2026-11-02T00:00:00Z');

    const { tag: old, ...content } = (before[NODE] as { value: { tag: string } }).value;
    expect(old).toBe('22.10.0-slim');
    expect(after[NODE]).toEqual({ state: 'known', value: { ...content, tag: '22.11.0-slim' } });
    expect(proxy.asked.filter((line) => line.startsWith('GET'))).toEqual(['GET /v2/renamed/node/tags/list']);
    expect(await observed(NODE)).toMatchObject({ tag: '22.11.0-slim', checkedAt: '2026-11-02T00:00:00Z' });
  });

  test('are listed once for all images that track the repository', async () => {
    const { push, watch } = setUp('shared', {
      a: slim,
      b: slim,
      c: '{ image: node, track: "20", suffix: -slim }',
      d: String.raw`{ image: node, track: { pattern: "^lts-(\\d+)$" } }`,
      e: 'node:22-slim',
    });
    for (const tag of ['22.1.0-slim', '20.1.0-slim', '22-slim', 'lts-9', 'lts-10']) await push(`node:${tag}`);

    const upstreams = await watch('2026-11-01T00:00:00Z');

    expect(proxy.asked.filter((line) => line.includes('/tags/list'))).toHaveLength(1);
    const tags = Object.entries(upstreams).map(([name, found]) => [
      name,
      (found as { value?: { tag?: string } }).value?.tag,
    ]);
    expect(Object.fromEntries(tags)).toEqual({
      [NODE]: '22.1.0-slim',
      'docker.io/library/node:{20}-slim': '20.1.0-slim',
      'docker.io/library/node:{^lts-(\\d+)$}': 'lts-10',
      'docker.io/library/node:22-slim': undefined,
    });
  });

  test('are not listed for plain references', async () => {
    const { push, watch } = setUp('plain', { a: 'node:22-slim' });
    await push('node:22-slim');

    await watch('2026-11-01T00:00:00Z');

    expect(proxy.asked.filter((line) => line.includes('/tags/list'))).toEqual([]);
  });

  test('of which none fits are absent, and the nearest are named', async () => {
    const { push, watch } = setUp('none', { a: slim });
    for (const tag of ['20.1.0-slim', '22.1.0-alpine', 'latest']) await push(`node:${tag}`);

    const upstreams = await watch('2026-11-01T00:00:00Z');

    expect(upstreams[NODE]).toEqual({
      state: 'absent',
      why: 'docker.io/library/node has no tag for 22.x with the suffix -slim among 3, the nearest are 20.1.0-slim, 22.1.0-alpine',
    });
  });

  test('of a repository that is not there are absent', async () => {
    const { watch } = setUp('missing', { a: slim });

    expect((await watch('2026-11-01T00:00:00Z'))[NODE]).toEqual({
      state: 'absent',
      why: 'docker.io/library/node has no tags',
    });
  });

  test('that could not be listed are unknown, and so is no other upstream', async () => {
    const { push, watch } = setUp('down', { a: slim, b: 'debian:12-slim' });
    await push('node:22.1.0-slim');
    await push('debian:12-slim');
    const fault = { on: ({ path }: { path: string }) => path.includes('/tags/list'), answer: { status: 500 } };
    const upstreams = watch('2026-11-01T00:00:00Z');
    proxy.inject(fault);

    expect(await upstreams).toMatchObject({
      [NODE]: { state: 'unknown', why: expect.stringContaining('node:{22.x}-slim could not be asked: ') },
      'docker.io/library/debian:12-slim': { state: 'known' },
    });
  });
});

test('of upstreams that somebody hinted at, these are asked and no others', async () => {
  const { push, watch } = setUp('hinted', { a: 'debian:12-slim', b: 'busybox:1.37' });
  const debian = await push('debian:12-slim');
  await push('busybox:1.37');

  const found = await watch('2026-11-02T00:00:00Z', ['docker.io/library/debian:12-slim']);

  expect(found).toMatchObject({ 'docker.io/library/debian:12-slim': { state: 'known', value: { digest: debian } } });
  expect(Object.keys(found)).toHaveLength(1);
  expect(JSON.stringify(proxy.asked).includes('busybox')).toBe(false);
});

const DEBIAN = 'docker.io/library/debian:12-slim';

describe('a change', () => {
  test('of before the first look is detected then, and nobody knows when it was made', async () => {
    const { push, watch, observed } = setUp('unwatched', { a: 'alpine:3.99' });
    await push('alpine:3.99', 'first', '2026-10-01T00:00:00Z');
    const alpine = 'docker.io/library/alpine:3.99';

    await watch('2026-11-01T00:00:00Z');

    expect(await observed(alpine)).toMatchObject({ detectedAt: '2026-11-01T00:00:00Z', detectedBy: 'watch' });
    expect(await observed(alpine)).not.toHaveProperty('changedAt');
  });

  test.each([
    ['is when upstream made it', '2026-11-01T00:04:00Z', '2026-11-01T00:04:00Z'],
    ['is not before the look that still saw another', '2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z'],
    ['is not in the future', '2027-10-01T00:00:00Z', '2026-11-01T00:00:00Z'],
  ])('between two looks %s, and stays so', async (what, created, changedAt) => {
    const { push, watch, observed } = setUp(what.replaceAll(' ', '-'), { a: 'debian:12-slim' });
    await push('debian:12-slim', 'first');
    await watch('2026-11-01T00:00:00Z');
    await push('debian:12-slim', 'second', created);

    await watch('2026-11-01T00:10:00Z', [DEBIAN]);
    await watch('2026-11-01T00:20:00Z');

    const detected = { detectedAt: '2026-11-01T00:10:00Z', detectedBy: 'webhook' };
    const found = await observed(DEBIAN);
    expect({ ...found, changedAt: found!.changedAt!.replace('.000Z', 'Z') }).toMatchObject({ changedAt, ...detected });
  });
});
