import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import type { ServiceEvent } from '../../src/domain/service/events.ts';
import { createRedisLedger } from '../../src/ledger/redis.ts';
import { createRedisFreshness } from '../../src/ledger/redis-freshness.ts';
import { createRedisHooks } from '../../src/ledger/redis-hooks.ts';
import { createRedisNotifications } from '../../src/ledger/redis-notifications.ts';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import type { ActiveRun } from '../../src/ledger/store.ts';
import { createRunQueue } from '../../src/queue/bullmq-runs.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { nextTimes } from '../../src/queue/cron.ts';
import { createService } from '../../src/service/create-service.ts';
import { openRun } from '../../src/service/open-run.ts';
import type { FactoryParts, ServiceParts } from '../../src/service/parts.ts';
import type { FactoryService } from '../../src/service/service.ts';
import { fleetFiles } from '../support/fleet-files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let parts: ServiceParts;
let service: FactoryService;
let close: () => Promise<unknown>;
let number = 0;

const fleet = parseFleet(
  fleetFiles({
    'ingot.yaml': 'fleet: acme\n',
    'images/base/image.yaml': 'line: "12"\n',
    'images/base/Dockerfile': 'FROM debian:12-slim\n',
    'images/tool/image.yaml': 'line: "1"\n',
    'images/tool/Dockerfile': 'FROM busybox:1.37\n',
  }),
);

beforeEach(async () => {
  redis = await startRedis();
  const connection = redisOptions({ url: redis.url });
  const store = createRedisStore({ connection, prefix: 'test', fleet: 'acme', now: Date.now });
  const ledger = createRedisLedger({ connection, prefix: 'test' });
  const notifications = createRedisNotifications({ connection, prefix: 'test' });
  const freshness = createRedisFreshness({ connection, prefix: 'test', now: Date.now });
  const hooks = createRedisHooks({ connection, prefix: 'test' });
  const runs = createRunQueue({ redis: { url: redis.url }, prefix: 'test', onError: () => {} });
  parts = {
    ...{ store, ledger, freshness, hooks, notifications, runs, nextTimes },
    withFactory: (use) => use({ fleet, ledger } as unknown as FactoryParts),
    reload: async () => {},
    budgets: async () => [],
    newRunId: () => `01RUN${String(number++).padStart(4, '0')}`,
    now: () => new Date(),
    sleep: (ms, signal) => wait(ms, undefined, { signal }),
  };
  service = createService(parts);
  const all = [store, ledger, freshness, hooks, notifications, runs];
  close = () => Promise.all(all.map((each) => each.close()));
});
afterEach(async () => {
  await close();
  await redis.remove();
});

/** A run that a planner handed to the queues. */
async function started(image: string, runId = parts.newRunId()): Promise<ActiveRun> {
  const inputs = { image, recipe: '2', platforms: ['linux/amd64'] as const, inputs: [], definition: {} };
  const about = { runId, image, inputs, reasons: [{ kind: 'never-released' } as const] };
  const run: ActiveRun = {
    ...about,
    ...{ priority: 'base-change', definitions: digestOf('fleet'), startedAt: new Date().toISOString() },
  };
  await parts.store.claim(run);
  await openRun(run, parts.ledger);
  await parts.runs.start(run);
  return run;
}

async function ended(run: ActiveRun): Promise<void> {
  await parts.ledger.finishRun(run.runId, {
    outcome: 'released',
    summary: 'released',
    endedAt: new Date().toISOString(),
  });
  await parts.store.ended(run.image, run.runId);
}

describe('a rebuild that is asked for', () => {
  test('is a run at once, and asked for twice it is the same run', async () => {
    const first = await service.startRebuild({ images: ['base'], by: 'ada', reason: 'to see' });
    const second = await service.startRebuild({ images: ['base', 'tool'], by: 'grace' });

    expect(first.runs).toMatchObject([
      { image: 'base', state: 'waiting', priority: 'requested', request: { by: 'ada' } },
    ]);
    expect(second.runs.map(({ id, image }) => [image, id === first.runs[0]!.id])).toEqual([
      ['base', true],
      ['tool', false],
    ]);
    expect(await service.run(first.runs[0]!.id)).toMatchObject({ state: 'waiting', request: { reason: 'to see' } });
    expect((await service.runs({ state: 'waiting' })).items).toHaveLength(2);
  });

  test('of an upstream is one of every image that uses it, by either name', async () => {
    const short = await service.startRebuild({ upstreams: ['debian:12-slim'], by: 'ada' });
    const whole = await service.startRebuild({ upstreams: ['docker.io/library/busybox:1.37'], by: 'ada' });

    expect([...short.runs, ...whole.runs].map(({ image }) => image)).toEqual(['base', 'tool']);
  });

  test('of nothing that is there is refused with what was meant', async () => {
    const wrong = [{ images: ['bse'] }, { upstreams: ['debian:12-slm'] }, {}];
    const answers = await Promise.allSettled(wrong.map((request) => service.startRebuild({ ...request, by: 'ada' })));

    expect(
      answers.map((answer) => answer.status === 'rejected' && [answer.reason.code, answer.reason.message]),
    ).toEqual([
      ['not-found', 'the fleet has no image bse; did you mean "base"?'],
      ['not-found', expect.stringContaining('the fleet has no upstream debian:12-slm')],
      ['usage', 'name images or upstreams to rebuild'],
    ]);
  });

  test('under the same key starts nothing more, and another one under it is refused', async () => {
    const request = { images: ['base'], by: 'ada', idempotencyKey: 'k' };
    const [first] = (await service.startRebuild(request)).runs;
    await parts.store.ended('base', first!.id);

    const again = await service.startRebuild(request);

    expect(again.runs.map(({ id }) => id)).toEqual([first!.id]);
    await expect(service.startRebuild({ ...request, images: ['tool'] })).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('a run that is cancelled', () => {
  test('before anybody began it is over at once, whatever waits for it', async () => {
    const [asked] = (await service.startRebuild({ images: ['base'], by: 'ada' })).runs;
    const queued = await started('tool');

    const one = await service.cancelRun(asked!.id, { by: 'grace', reason: 'no' });
    const other = await service.cancelRun(queued.runId, { by: 'grace' });

    expect(one).toMatchObject({ state: 'ended', outcome: 'cancelled', cancelled: { by: 'grace', reason: 'no' } });
    expect(other).toMatchObject({ state: 'ended', outcome: 'cancelled', cancelled: { by: 'grace' } });
    expect([await parts.store.requests(), await parts.store.active()]).toEqual([[], []]);
    await expect(service.cancelRun(asked!.id, { by: 'grace' })).rejects.toMatchObject({ code: 'conflict' });
  });

  test('and tried again is a new run', async () => {
    const run = await started('base');
    await expect(service.retryRun(run.runId, { by: 'ada' })).rejects.toMatchObject({ code: 'conflict' });
    await service.cancelRun(run.runId, { by: 'ada' });

    const again = await service.retryRun(run.runId, { by: 'ada' });

    expect(again).toMatchObject({ image: 'base', state: 'waiting', request: { by: 'ada' } });
    expect(again.id).not.toBe(run.runId);
  });
});

describe('runs', () => {
  test('are listed newest first, page by page, by what is asked', async () => {
    for (let index = 0; index < 7; index++) {
      await ended(await started(index % 2 === 0 ? 'base' : 'tool'));
      await wait(2);
    }

    const pages = [];
    for (let cursor: string | undefined; ; ) {
      const page = await service.runs({ limit: 2, ...(cursor && { cursor }), image: 'base' });
      pages.push(page.items.map(({ image }) => image));
      if (page.next === undefined) break;
      cursor = page.next;
    }

    expect(pages.flat()).toEqual(['base', 'base', 'base', 'base']);
    const all = (await service.runs({ outcome: 'released' })).items.map(({ id }) => id);
    expect(all).toEqual([...all].sort().reverse());
    expect((await service.runs({ outcome: 'failed' })).items).toEqual([]);
    await expect(service.run('nothing')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('are waited for until they end, or as long as one likes', async () => {
    const run = await started('base');
    const signal = new AbortController().signal;

    const early = await service.waitForRun(run.runId, { timeoutMs: 50, signal });
    const waiting = service.waitForRun(run.runId, { timeoutMs: 10_000, signal });
    await ended(run);

    expect(early.state).toBe('queued');
    expect(await waiting).toMatchObject({ state: 'ended', outcome: 'released' });
  });
});

test('events of an image are told in order, from where one left off', async () => {
  for (const image of ['base', 'tool', 'base'])
    await parts.store.tell({ type: 'run.started', run: `r-${image}`, image });
  const ending = new AbortController();
  const seen: ServiceEvent[] = [];

  for await (const event of service.subscribe({ image: 'base', after: '0-0', signal: ending.signal })) {
    seen.push(event);
    if (seen.length === 2) break;
  }
  for await (const event of service.subscribe({ after: seen[0]!.id, signal: ending.signal })) {
    seen.push(event);
    if (seen.length === 4) break;
  }

  expect(seen.map((event) => 'image' in event && event.image)).toEqual(['base', 'base', 'tool', 'base']);
});

test('queues count what waits, and what runs with no worker that says so', async () => {
  await parts.store.putDefinitions({
    ...{ fleet: 'acme', source: '.', digest: digestOf('fleet'), base: 'r.example/acme', images: 2 },
    ...{ platforms: ['linux/amd64'], loadedAt: '2026-01-01T00:00:00Z', checkedAt: '2026-01-01T00:00:00Z' },
  });
  await started('base');
  await parts.store.failed('release');

  const queues = await service.queues();

  expect(queues.find(({ name }) => name === 'build-linux-amd64')).toMatchObject({ waiting: 1, running: 0, workers: 0 });
  expect(queues.find(({ name }) => name === 'release')).toMatchObject({ waiting: 0, blocked: 1, failed: 1 });
});
