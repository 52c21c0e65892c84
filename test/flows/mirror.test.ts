import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Builder } from '../../src/builder/builder.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import type { MirrorSettings } from '../../src/domain/fleet/settings-retention.ts';
import { type Inputs, RECIPE_VERSION, type ResolvedInput } from '../../src/domain/inputs.ts';
import { mirrorTag, placesBelow } from '../../src/domain/places.ts';
import { atDigest, atTag, formatReference, parseReference, type Reference } from '../../src/domain/reference.ts';
import { type BuildDeps, buildSteps } from '../../src/flows/build.ts';
import { mirrorInput } from '../../src/flows/mirror.ts';
import { runSteps } from '../../src/flows/steps.ts';
import { platformManifests } from '../../src/image/resolve.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { parseManifest } from '../../src/registry/manifest.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.ts';
import { fleetFiles } from '../support/fleet-files.ts';
import { pushImage } from '../support/images.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;
const UPSTREAM = 'docker.io/library/debian:12-slim';
const signal = new AbortController().signal;

let upstream: TestRegistry;
let ours: TestRegistry;
let proxy: FaultyProxy;
let http: Http;
let registry: Registry;
beforeAll(async () => {
  [upstream, ours] = await Promise.all([startDistribution(), startDistribution()]);
  proxy = await startFaultyProxy(upstream.address);
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 5_000 });
  registry = createRegistry({ http, limits: { attempts: 1 } });
});
afterAll(async () => {
  await Promise.all([http?.close(), proxy?.stop(), upstream?.stop(), ours?.stop()]);
});
afterEach(() => proxy.reset());

/** An upstream behind a proxy that may refuse, and an input that names it. */
async function setUp(name: string, mirror?: MirrorSettings) {
  const source = parseReference(`${proxy.address}/${name}:12-slim`);
  const direct = parseReference(`${upstream.address}/${name}:12-slim`);
  const { digest } = await pushImage(registry, direct, {
    platforms: [...PLATFORMS, 'linux/s390x'],
    files: { 'etc/edition': name },
  });
  const index = parseManifest((await registry.manifest(direct))!.bytes, 'an index');
  const children = [...platformManifests(index.manifests!)].map(
    ([platform, child]) => [platform, child.digest] as const,
  );
  const platforms = Object.fromEntries(children.filter(([platform]) => platform !== 'linux/s390x'));
  const input: ResolvedInput = { role: 'base', name: UPSTREAM, digest, platforms };
  const places = placesBelow({ registry: ours.address, path: name });
  const deps = { registry, places, sourceOf: () => source, ...(mirror && { mirror }) };
  const repository = places.mirror(parseReference(UPSTREAM));
  return {
    ...{ input, deps, repository, places, direct, others: Object.fromEntries(children) },
    copy: async () => {
      for (const platform of PLATFORMS) await mirrorInput(input, platform, deps, { signal });
    },
    tags: () => registry.tags(repository),
  };
}

test('the platforms that are wanted are copied, once for each digest', async () => {
  const { copy, tags, input, others, repository } = await setUp('wanted');

  await copy();
  expect(await tags()).toEqual(
    Object.values(input.platforms)
      .map((digest) => mirrorTag(digest!))
      .sort(),
  );
  proxy.reset();
  await copy();

  expect(proxy.asked).toEqual([]);
  expect(await registry.head(atDigest(repository, others['linux/s390x']!))).toBeUndefined();
});

test('the whole index is copied as well when that is set', async () => {
  const { copy, tags, input, others, repository } = await setUp('all', { platforms: 'all' });

  await copy();

  expect(await tags()).toContain(mirrorTag(input.digest));
  expect(await registry.head(atDigest(repository, others['linux/s390x']!))).toBeDefined();
});

test('an index that upstream has given up holds up no build', async () => {
  const { copy, tags, input } = await setUp('given-up', { platforms: 'all' });
  proxy.inject({ on: ({ path }) => path.endsWith(input.digest), answer: { status: 404 } });

  await copy();

  expect(await tags()).toEqual(
    Object.values(input.platforms)
      .map((digest) => mirrorTag(digest!))
      .sort(),
  );
});

test('layers are mounted, not sent, where upstream is in the same registry', async () => {
  const { input, deps, direct, copy } = await setUp('mounted');
  const beside = await startFaultyProxy(ours.address);
  const cache = parseReference(`${beside.address}/cache/debian:12-slim`);
  await registry.copy(direct, cache);
  beside.reset();
  const places = placesBelow({ registry: beside.address, path: 'mounted-fleet' });

  await mirrorInput(input, 'linux/amd64', { ...deps, places, sourceOf: () => cache }, { signal });
  await copy();

  expect(beside.asked.filter((line) => line.includes('mount='))).toHaveLength(2);
  expect(beside.asked.filter((line) => line.startsWith('PUT') && line.includes('/blobs/'))).toEqual([]);
  await beside.stop();
});

describe('once copied, a build goes on when upstream', () => {
  test.each([
    ['limits the rate', { answer: { status: 429, headers: { 'retry-after': '3600' } } }],
    ['has dropped the image', { answer: { status: 404 } }],
    ['asks for a login', { answer: { status: 401 } }],
    ['cannot be reached', { reset: 'at-once' as const }],
  ])('%s', async (name, fault) => {
    const { copy, input, deps, places, repository } = await setUp(name.replaceAll(' ', '-'), { platforms: 'all' });
    await copy();
    proxy.reset();
    proxy.inject(fault);
    const pins: Reference[] = [];

    await build(input, { ...deps, places }, (pin) => pins.push(pin));

    expect(pins).toEqual(PLATFORMS.map((platform) => atDigest(repository, input.platforms[platform]!)));
    expect(proxy.asked).toEqual([]);
    for (const pin of pins) expect(await registry.head(pin)).toBeDefined();
  });

  test('while one that never was copied fails with the reason', async () => {
    const { input, deps, places } = await setUp('never');
    proxy.inject({ answer: { status: 404 } });

    await expect(build(input, { ...deps, places }, () => {})).rejects.toMatchObject({ code: 'missing-content' });
  });
});

/** Mirror and build of both platforms, with a builder that only notes what it was given. */
async function build(
  input: ResolvedInput,
  deps: Pick<BuildDeps, 'registry' | 'places' | 'sourceOf'>,
  onPin: (pin: Reference) => void,
) {
  const definitions = {
    'ingot.yaml': 'fleet: acme\n',
    'images/base/image.yaml': 'line: "12"\nfrom: debian:12-slim\nuser: 10001\n',
  };
  const image = parseFleet(fleetFiles(definitions)).images[0]!;
  const inputs: Inputs = {
    image: 'base',
    recipe: RECIPE_VERSION,
    platforms: PLATFORMS,
    inputs: [input],
    definition: {},
  };
  const builder: Builder = {
    name: 'noting',
    platforms: async () => PLATFORMS,
    async build({ platform, pins, push }) {
      for (const pin of Object.values(pins)) onPin(pin);
      return (await pushImage(registry, push, { platforms: [platform], files: { app: 'x' } })).digest;
    },
    command: async () => ({ exitCode: 0, setupFailed: false, stdout: '', stderr: '' }),
  };
  const prepare: BuildDeps['prepare'] = async () => {
    const names = { 'debian:12-slim': input };
    return {
      context: '/',
      dockerfile: 'Dockerfile',
      names,
      secrets: {},
      args: {},
      folders: {},
      remove: async () => {},
    };
  };
  const rest = { builder, prepare, lists: async () => undefined, sources: async () => ({}), onLog: () => {} };
  const smoke = async () => ({ results: [] });
  for (const platform of PLATFORMS) {
    const steps = buildSteps(image, inputs, platform, { ...deps, ...rest, smoke });
    await runSteps(steps, { runId: '1', observer: { onStep: () => {} }, now: () => 0, signal });
  }
}

test('two upstreams of one repository share their copies', async () => {
  const { copy, input, deps, repository } = await setUp('shared');
  await copy();
  proxy.reset();

  await mirrorInput({ ...input, name: 'docker.io/library/debian:12.4-slim' }, 'linux/amd64', deps, { signal });

  expect(proxy.asked).toEqual([]);
  expect(formatReference(atTag(repository, 'x'))).toContain('mirror/docker.io/library/debian');
});
