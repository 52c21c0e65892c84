import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Reason } from '../../src/domain/staleness.ts';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import type { ServiceStore } from '../../src/ledger/store.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { createHistory } from '../../src/service/history.ts';
import type { FactoryParts, ServiceParts } from '../../src/service/parts.ts';
import { createReleaseScene, type ReleaseScene } from '../support/release-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const NEWER: readonly Reason[] = [{ kind: 'requested', by: 'ada' }];

let standing: StandingScene;
let store: ServiceStore;
let http: Http;
let scene: ReleaseScene;
let requests: string[] = [];
let now = new Date('2026-04-01T00:00:00Z');

beforeAll(async () => {
  standing = await startStandingScene();
  store = createRedisStore({
    connection: redisOptions({ path: standing.redis }),
    ...{ prefix: 'test', fleet: 'acme', now: Date.now },
  });
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
  const registry = createRegistry({ http, onRequest: ({ method, kind }) => void requests.push(`${method} ${kind}`) });
  const base = `${standing.repository('x').registry}/history`;
  scene = createReleaseScene({ base, registry, ledger: standing.ledger });
  await scene.release('one');
  await scene.release('two', { reasons: NEWER });
});
afterAll(async () => {
  await Promise.all([store?.close(), http?.close()]);
  await standing?.stop();
});

function historyOf(change: Partial<FactoryParts> = {}) {
  const { fleet, places, registry, deps } = scene;
  const cataloguer = { ...deps.cataloguer, packages: () => [{ name: 'curl' } as never] };
  const stateOf = () => Promise.reject(new Error('not asked'));
  const parts = { fleet, places, registry, cataloguer, scanner: deps.scanner, packages: { stateOf }, ...change };
  return createHistory({
    store,
    withFactory: (use: (factory: FactoryParts) => Promise<unknown>) => use(parts as unknown as FactoryParts),
    now: () => now,
  } as unknown as ServiceParts);
}

describe('the history of an image', () => {
  test('is read behind the back of who asks first, and never again', async () => {
    const { history } = historyOf();

    const first = await history('base');
    await expect.poll(async () => (await history('base')).reading).toBe(false);
    const second = await history('base');
    requests = [];
    now = new Date(now.getTime() + 120_000);
    await history('base');
    await expect.poll(async () => (await history('base')).reading).toBe(false);

    expect(first).toEqual({ releases: [], reading: true });
    expect(second.releases.map(({ version }) => version)).toEqual(['12.0.1', '12.0.0']);
    expect(Object.values(second.releases[0]!.platforms)[0]).toMatchObject({ packages: 1, findings: {} });
    expect(Object.values(second.releases[0]!.platforms)[0]!.size).toBeGreaterThan(100);
    // A look may begin again while the first ends; releases are not read again
    expect(new Set(requests)).toEqual(new Set(['GET tags']));
  });

  test('that cannot be read keeps what is known, and says why', async () => {
    const registry = { ...scene.registry, tags: () => Promise.reject(new Error('the registry is away')) };
    const { history } = historyOf({ registry });
    now = new Date(now.getTime() + 120_000);

    await history('base');
    await expect.poll(async () => (await history('base')).unknown).toBe('the registry is away');

    expect((await history('base')).releases).toHaveLength(2);
    await expect(history('nowhere')).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a release that was made since', () => {
  test('is read as soon as the plan knows of it', async () => {
    const { history } = historyOf();
    await history('base');
    await expect.poll(async () => (await history('base')).reading).toBe(false);
    const { release } = await scene.release('three', { reasons: NEWER });
    const entry = { image: 'base', state: 'fresh' as const, reasons: [], holds: [], release };
    await store.putPlan({
      at: now.toISOString(),
      definitions: release.digest,
      entries: [entry],
      standing: {},
      unasked: {},
    });
    now = new Date(now.getTime() + 10_000);

    await history('base');

    await expect.poll(async () => (await history('base')).releases[0]!.version).toBe('12.0.2');
  });
});

describe('the difference of two releases', () => {
  test('is made once, whoever asks for it meanwhile, and kept', async () => {
    const { diff } = historyOf();
    const pair = { before: '12.0.0', after: '12.0.1' };

    const first = await Promise.all([diff('base', pair), diff('base', pair)]);
    await expect.poll(async () => (await diff('base', pair)).state).toBe('done');
    requests = [];
    const last = await historyOf().diff('base', pair);

    expect(first.map(({ state }) => state)).toContain('running');
    expect(last).toMatchObject({ state: 'done', diff: { platforms: [{ state: 'changed' }, { state: 'changed' }] } });
    expect(JSON.stringify(last)).toContain('/etc/edition');
    expect(requests).toEqual([]);
  });

  test('of what is not there says so', async () => {
    const { diff } = historyOf();
    const pair = { before: '12.0.0', after: '12.0.9' };

    await diff('base', pair);
    await expect.poll(async () => (await diff('base', pair)).state).toBe('failed');

    await expect(diff('base', { before: '12.0.0', after: '11.0.0' })).rejects.toMatchObject({ code: 'not-found' });
  });
});
