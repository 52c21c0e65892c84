import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { createRedisLedger } from '../../src/ledger/redis.ts';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import type { ActiveRun } from '../../src/ledger/store.ts';
import { createRunQueue } from '../../src/queue/bullmq-runs.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { queueName } from '../../src/queue/names.ts';
import { BuildPayload, ReleasePayload } from '../../src/queue/payloads.ts';
import { createWorker } from '../../src/queue/worker.ts';
import type { PlannedFactory, PlannerDeps } from '../../src/service/factory.ts';
import { openRun } from '../../src/service/open-run.ts';
import { reconcile } from '../../src/service/reconcile.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const RUNS = 1000;
/** These a planner had claimed when it was killed, and not yet handed over. */
const CLAIMED_ONLY = 10;
const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;

let redis: TestRedis;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
  await redis.remove();
});

/** What a process has; a restart of everything makes it anew. */
function startParts() {
  const connection = redisOptions({ url: redis.url });
  const store = createRedisStore({ connection, prefix: 'test', fleet: 'acme', now: Date.now });
  const ledger = createRedisLedger({ connection, prefix: 'test' });
  const runs = createRunQueue({ redis: { url: redis.url }, prefix: 'test', onError: () => {} });
  const deps: PlannerDeps = { store, runs, now: () => new Date(), newRunId: () => 'new' };
  const factory = { ledger } as unknown as PlannedFactory;
  const close = () => Promise.all([store.close(), ledger.close(), runs.close()]);
  closing.push(close);
  return { store, ledger, runs, deps, factory, close };
}

type Parts = ReturnType<typeof startParts>;

/** Builds and releases as workers do, with what they make in a map in place of the registry. */
function startWorkers({ store, ledger }: Parts, registry: Map<string, number>) {
  const shared = { redis: { url: redis.url }, prefix: 'test', onError: () => {} };
  const builds = PLATFORMS.map((platform) =>
    createWorker({
      ...{ ...shared, queue: queueName.build(platform), schema: BuildPayload, concurrency: 20 },
      handle: async ({ runId }) => {
        const step = { name: 'build', platform, startedAt: Date.now(), endedAt: Date.now(), external: true } as const;
        await ledger.recordStep(runId, { ...step, state: 'done' });
      },
    }),
  );
  const releases = createWorker({
    ...{ ...shared, queue: queueName.release, schema: ReleasePayload, concurrency: 20 },
    handle: async ({ runId, image }, { failedChildren }) => {
      expect(await failedChildren()).toEqual({});
      if ((await ledger.run(runId))?.outcome === undefined) registry.set(runId, (registry.get(runId) ?? 0) + 1);
      await ledger.finishRun(runId, { outcome: 'released', summary: 'ok', endedAt: new Date().toISOString() });
      await store.ended(image, runId);
    },
  });
  const all = [...builds, releases];
  const close = () => Promise.all(all.map((worker) => worker.close(0)));
  closing.unshift(close);
  return close;
}

test('1,000 queued runs survive a kill of Redis and of every process, and each ends once', async () => {
  const before = startParts();
  const started = await Promise.all(Array.from({ length: RUNS }, (_, index) => claim(index, before)));
  for (const run of started.slice(CLAIMED_ONLY)) {
    await openRun(run, before.ledger);
    await before.runs.start(run);
  }
  const registry = new Map<string, number>();
  const stopWorkers = startWorkers(before, registry);
  await expect.poll(() => registry.size, { timeout: 60_000, interval: 5 }).toBeGreaterThan(50);

  await redis.kill();
  const doneBefore = registry.size;
  await redis.start();
  await stopWorkers(); // what they had is nobody's now, and is taken over when its locks have run out
  await before.close();
  closing.length = 0;
  const after = startParts();
  startWorkers(after, registry);
  const open = await reconcile(after.factory, after.deps);
  await expect.poll(async () => (await after.store.active()).length, { timeout: 90_000, interval: 100 }).toBe(0);

  expect(doneBefore).toBeLessThan(RUNS - CLAIMED_ONLY);
  expect(open.length).toBeGreaterThanOrEqual(CLAIMED_ONLY);
  const ends = await Promise.all(started.map(async ({ runId }) => (await after.ledger.run(runId))?.outcome));
  expect(ends.filter((outcome) => outcome !== 'released')).toEqual([]);
  expect([...registry.values()].filter((count) => count !== 1)).toEqual([]);
  expect(registry.size).toBe(RUNS);
  await expect.poll(async () => left(after), { timeout: 30_000 }).toBe(0);
}, 180_000);

async function claim(index: number, { store }: Parts): Promise<ActiveRun> {
  const image = `image-${index}`;
  const inputs = { image, recipe: '2', platforms: PLATFORMS, inputs: [], definition: {} };
  const run: ActiveRun = {
    ...{ runId: `01RUN${index}`, image, inputs, reasons: [], priority: 'nightly', definitions: digestOf('fleet') },
    startedAt: new Date(Date.now() - 60_000).toISOString(),
  };
  await store.claim(run);
  return run;
}

/** Jobs of any kind. */
async function left({ runs }: Parts): Promise<number> {
  const counts = await runs.counts(PLATFORMS);
  return counts.reduce((sum, { waiting, delayed, running, blocked }) => sum + waiting + delayed + running + blocked, 0);
}
