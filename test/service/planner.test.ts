import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import { parseBase, placesBelow } from '../../src/domain/places.ts';
import { createRedisLedger } from '../../src/ledger/redis.ts';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import type { RunQueue } from '../../src/queue/run-queue.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { PlannedFactory } from '../../src/service/factory.ts';
import { createPlanner } from '../../src/service/planner.ts';
import { fleetFiles } from '../support/fleet-files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const signal = new AbortController().signal;
const now = () => new Date();
const fleet = parseFleet(
  fleetFiles({
    'ingot.yaml': 'fleet: acme\n',
    'images/base/image.yaml': 'line: "12"\n',
    'images/base/Dockerfile': 'FROM scratch\n',
    'images/tool/image.yaml': 'line: "1"\n',
    'images/tool/Dockerfile': 'FROM scratch\n',
  }),
);

/** Has one release of every image, which somebody else made. */
const index = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] }),
);
const registry = {
  manifest: async ({ tag }: { tag?: string }) =>
    tag === undefined ? undefined : { bytes: index, descriptor: { digest: digestOf(index), size: index.length } },
  head: async () => undefined,
  referrers: async () => [],
  tags: async () => [],
} as unknown as Registry;

let redis: TestRedis;
let scene: ReturnType<typeof openScene>;

beforeEach(async () => {
  redis = await startRedis();
  scene = openScene();
});
afterEach(async () => {
  await scene.close();
  await redis.remove();
});

function openScene() {
  const connection = redisOptions({ url: redis.url });
  const store = createRedisStore({ connection, prefix: 'test', fleet: 'acme', now: Date.now });
  const ledger = createRedisLedger({ connection, prefix: 'test' });
  const proposed: string[] = [];
  const runs = { propose: async (image: string) => void proposed.push(image) } as unknown as RunQueue;
  const planner = createPlanner({ store, runs, now, newRunId: () => 'new' });
  const places = placesBelow(parseBase('registry.example.org/golden'));
  const asked = { registry, places, ledger, fleet, now: () => now().toISOString() };
  const factory: PlannedFactory = {
    ...{ definitions: digestOf('fleet'), ledger, follows: false, proposes: true },
    plan: {
      ...asked,
      sourceOf: (upstream) => upstream,
      readiness: async () => ({ ready: false, why: 'nobody builds', remedy: 'build' }),
    },
  };
  return {
    store,
    /** @returns the images whose pull requests are looked at after a look at the fleet */
    async look(): Promise<readonly string[]> {
      proposed.length = 0;
      await planner.look(factory, signal);
      return [...proposed];
    },
    close: () => Promise.all([store.close(), ledger.close()]),
  };
}

test('the first look proposes every release: nobody knows what was missed', async () => {
  expect(await scene.look()).toEqual(['base', 'tool']);
  expect(await scene.look()).toEqual([]);
});

test('what is released in the second of a sweep is proposed, and nothing else', async () => {
  await scene.look();

  await scene.store.changed(['*']);
  expect(await scene.look()).toEqual([]);
  await scene.store.changed(['tool', '*']);
  expect(await scene.look()).toEqual(['tool']);
});

test('after a loss of Redis every release is proposed again', async () => {
  await scene.store.changed(['tool']);
  await scene.look();

  await redis.kill();
  await redis.start({ empty: true });

  await expect.poll(() => scene.look().catch(() => 'Redis is not there yet')).toEqual(['base', 'tool']);
});
