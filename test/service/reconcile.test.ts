import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { createRedisLedger } from '../../src/ledger/redis.ts';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import type { ActiveRun } from '../../src/ledger/store.ts';
import { createRunQueue } from '../../src/queue/bullmq-runs.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import type { PlannedFactory, PlannerDeps } from '../../src/service/factory.ts';
import { openRun } from '../../src/service/open-run.ts';
import { reconcile } from '../../src/service/reconcile.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let deps: PlannerDeps;
let factory: PlannedFactory;
let close: () => Promise<unknown>;

const NOW = new Date('2026-11-23T12:00:00Z');
const secondsAgo = (seconds: number) => new Date(NOW.getTime() - seconds * 1000).toISOString();

beforeEach(async () => {
  redis = await startRedis();
  const connection = redisOptions({ url: redis.url });
  const store = createRedisStore({ connection, prefix: 'test', fleet: 'acme', now: Date.now });
  const ledger = createRedisLedger({ connection, prefix: 'test' });
  const runs = createRunQueue({ redis: { url: redis.url }, prefix: 'test', onError: () => {} });
  deps = { store, runs, now: () => NOW, newRunId: () => 'new' };
  factory = { ledger } as unknown as PlannedFactory;
  close = () => Promise.all([store.close(), ledger.close(), runs.close()]);
});
afterEach(async () => {
  await close();
  await redis.remove();
});

/** What a planner wrote down before it did anything else. */
async function claimed(secondsBefore: number): Promise<ActiveRun> {
  const inputs = { image: 'base', recipe: '2', platforms: ['linux/amd64'] as const, inputs: [], definition: {} };
  const run: ActiveRun = {
    ...{ runId: '01RUN', image: 'base', inputs, reasons: [], priority: 'base-change' },
    ...{ definitions: digestOf('fleet'), startedAt: secondsAgo(secondsBefore) },
  };
  await deps.store.claim(run);
  return run;
}

test('a run that a planner claimed and never handed over is handed over by the next one', async () => {
  const run = await claimed(60);

  const open = await reconcile(factory, deps);

  expect(open.map(({ runId }) => runId)).toEqual(['01RUN']);
  expect(await deps.runs.has(run)).toBe(true);
  expect(await factory.ledger.run('01RUN')).toMatchObject({ image: 'base', steps: [] });
});

test('a run that another planner is handing over at this moment is left to it', async () => {
  const run = await claimed(2);

  expect(await reconcile(factory, deps)).toHaveLength(1);
  expect(await deps.runs.has(run)).toBe(false);
});

test('a run that the queues gave up has failed, and its image is free', async () => {
  const run = await claimed(600);
  await openRun(run, factory.ledger);
  await factory.ledger.recordStep('01RUN', { name: 'build', state: 'running', startedAt: 1, external: true });

  expect(await reconcile(factory, deps)).toEqual([]);
  expect(await factory.ledger.run('01RUN')).toMatchObject({ outcome: 'failed' });
  expect(await deps.store.claim({ ...run, runId: '02RUN' })).toBe(true);
});

test('a run whose end nobody heard of is over, with the end that its worker wrote', async () => {
  const run = await claimed(600);
  await openRun(run, factory.ledger);
  await factory.ledger.finishRun('01RUN', { outcome: 'released', summary: 'ok', endedAt: secondsAgo(1) });
  const place = await deps.store.place();

  expect(await reconcile(factory, deps)).toEqual([]);
  expect(await factory.ledger.run('01RUN')).toMatchObject({ outcome: 'released' });
  expect((await deps.store.changesAfter(place))?.images).toEqual(['base']);
});
