import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseReference } from '../../src/domain/reference.ts';
import { fetchDefinitions, pruneDefinitions, publishDefinitions } from '../../src/flows/definitions.ts';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';

const DAY = 24 * 3600_000;
let server: TestRegistry;
let redis: TestRedis;
let http: Http;
let registry: Registry;

beforeAll(async () => {
  [server, redis] = await Promise.all([startDistribution(), startRedis()]);
  http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });
  registry = createRegistry({ http });
});
afterAll(async () => {
  await http.close();
  await Promise.all([server.stop(), redis.remove()]);
});

test('definitions are removed a week after they were last in use, and not before', async () => {
  let now = Date.parse('2026-03-01T00:00:00Z');
  const connection = redisOptions({ url: redis.url });
  const store = createRedisStore({ connection, prefix: 'test', fleet: 'acme', now: () => now });
  const repository = parseReference(`${server.address}/golden/fleet`);
  const deps = { registry, repository };
  const publish = (text: string) => {
    const parts = [{ name: 'ingot.yaml', archive: Buffer.from(text) }];
    return publishDefinitions({ fleet: 'acme', revisions: {}, times: {}, parts }, deps, {});
  };
  const [old, running, current] = [await publish('old'), await publish('running'), await publish('current')];
  const prune = (...used: (typeof old)[]) =>
    pruneDefinitions(used, { ...deps, leftSince: store.leftSince, now: () => now }, {});

  expect(await prune(running, current)).toEqual([]);
  now += 6 * DAY;
  expect(await prune(running, current)).toEqual([]);
  now += 1 * DAY;
  expect(await prune(current)).toEqual([expect.stringMatching(/^definitions-/)]);
  await expect(fetchDefinitions(old, deps, {})).rejects.toMatchObject({ code: 'unavailable' });
  await fetchDefinitions(running, deps, {});
  // In use again, they are left anew
  now += 5 * DAY;
  expect(await prune(running, current)).toEqual([]);
  now += 5 * DAY;
  expect(await prune(current)).toEqual([]);
  await fetchDefinitions(running, deps, {});
  await store.close();
});
