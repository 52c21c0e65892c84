import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLeftDefinitions } from '../../src/compose/left-definitions.ts';
import { parseBase, placesBelow } from '../../src/domain/places.ts';
import { publishDefinitions } from '../../src/flows/definitions.ts';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRunQueue } from '../../src/queue/bullmq-runs.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';

const MONTH = 30 * 24 * 3600_000;
let [server, redis, http]: [TestRegistry?, TestRedis?, Http?] = [];

beforeAll(async () => {
  [server, redis] = await Promise.all([startDistribution(), startRedis()]);
  http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });
});
afterAll(async () => {
  await http!.close();
  await Promise.all([server!.stop(), redis!.remove()]);
});

test('definitions that a service left are told by the command, and removed when it is told to', async () => {
  const registry = createRegistry({ http: http! });
  const places = placesBelow(parseBase(`${server!.address}/golden`));
  const queue = { redis: { url: redis!.url }, prefix: 'test', onError: () => {} };
  const options = { connection: redisOptions(queue.redis), prefix: 'test', fleet: 'acme' };
  const monthAgo = createRedisStore({ ...options, now: () => Date.now() - MONTH });
  const runs = createRunQueue(queue);
  const left = createLeftDefinitions({ registry, places }, queue, 'acme');
  const ask = (remove: boolean) => left({ remove, signal: AbortSignal.timeout(60_000) });
  const publish = (text: string) => {
    const parts = [{ name: 'ingot.yaml', archive: Buffer.from(text) }];
    const deps = { registry, repository: places.fleet() };
    return publishDefinitions({ fleet: 'acme', revisions: {}, times: {}, parts }, deps, {});
  };
  const tagsNow = () => registry.tags(places.fleet());
  const [old, queued, current] = [await publish('old'), await publish('queued'), await publish('current')];
  await monthAgo.leftSince(await tagsNow(), []);

  const withoutService = await ask(true);
  const at = new Date().toISOString();
  const about = { fleet: 'acme', source: '.', base: 'registry/golden', images: 1, platforms: [] };
  await monthAgo.putDefinitions({ ...about, digest: current, loadedAt: at, checkedAt: at });
  await runs.propose('base', queued);
  const told = await ask(false);
  const before = await tagsNow();
  const removed = await ask(true);

  expect(withoutService).toEqual([]);
  expect(told).toEqual([`definitions-${old.slice(7, 39)}`]);
  expect(before).toHaveLength(3);
  expect(removed).toEqual(told);
  expect(await tagsNow()).toHaveLength(2);
  await Promise.all([monthAgo.close(), runs.close()]);
});
