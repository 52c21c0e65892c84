import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FreshnessSample } from '../../src/domain/freshness.ts';
import type { FreshnessStore } from '../../src/ledger/freshness.ts';
import { createRedisFreshness } from '../../src/ledger/redis-freshness.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { minute, released, sampleOf } from '../support/freshness-sample.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const DAY_MS = 24 * 3600_000;

let redis: TestRedis;
let now: number;
let store: FreshnessStore;
let opened: FreshnessStore[];
beforeEach(async () => {
  redis = await startRedis();
  now = Date.parse(minute(100));
  opened = [];
  store = open();
});
afterEach(async () => {
  await Promise.all(opened.map((each) => each.close()));
  await redis.remove();
});

/** What another process has. */
function open(maxSamples?: number): FreshnessStore {
  const connection = redisOptions({ url: redis.url });
  const made = createRedisFreshness({ connection, prefix: 'test', now: () => now, ...(maxSamples && { maxSamples }) });
  opened.push(made);
  return made;
}

const pull = { repository: 'acme/shop', number: 7, branch: 'ingot/image/base', openedAt: minute(61) };

describe('a sample', () => {
  test('comes back as it was noted, in every process', async () => {
    const sample = released('base', 60, { tag: '12.1', detectedBy: 'webhook', pulls: { 'acme/shop#7': pull } });
    await store.note(sample);
    await store.note(sampleOf('child', { kind: 'fix', findings: ['CVE-1', 'CVE-2'], fixed: '2' }));

    const found = await open().samples();

    expect(found.map(({ image }) => image).sort()).toEqual(['base', 'child']);
    expect(found.find(({ image }) => image === 'base')).toEqual(sample);
    expect(found.find(({ image }) => image === 'child')).toMatchObject({ findings: ['CVE-1', 'CVE-2'] });
  });

  test('keeps what was known first, and gains what was not known', async () => {
    await store.note(sampleOf('base'));

    await Promise.all([
      store.note(released('base', 60)),
      open().note(sampleOf('base', { detectedAt: minute(55), holds: { paused: { at: minute(20), why: 'a demo' } } })),
    ]);

    expect(await store.samples()).toEqual([
      { ...released('base', 60), holds: { paused: { at: minute(20), why: 'a demo' } } },
    ]);
  });

  test('is open until it is released, and followed until its pull requests have ended', async () => {
    const lists = async () => [(await store.open()).length, (await store.proposed()).length];
    const seen: number[][] = [];
    for (const each of [
      sampleOf('base'),
      released('base', 60),
      released('base', 60, { pulls: { 'acme/shop#7': pull, 'acme/web#1': { ...pull, repository: 'acme/web' } } }),
      released('base', 60, { pulls: { 'acme/shop#7': { ...pull, mergedAt: minute(70) } } }),
      released('base', 60, { pulls: { 'acme/web#1': { ...pull, closedAt: minute(80) } } }),
    ]) {
      await store.note(each);
      seen.push(await lists());
    }

    expect(seen).toEqual([
      [1, 0],
      [0, 0],
      [0, 1],
      [0, 1],
      [0, 0],
    ]);
  });

  test('that upstream took back is gone', async () => {
    await store.note(sampleOf('base'));

    await store.drop('base|1');

    expect([await store.open(), await store.samples(), await store.samples({ image: 'base' })]).toEqual([[], [], []]);
  });

  test('of a newer ingot that is not understood counts as not there', async () => {
    await store.note({ ...sampleOf('base'), kind: 'rumour' } as unknown as FreshnessSample);

    expect(await store.samples()).toEqual([]);
  });
});

describe('samples', () => {
  test('are found by image and time, the newest change first', async () => {
    for (const [id, at] of [
      ['base|1', 10],
      ['base|2', 30],
      ['child|1', 20],
    ] as const) {
      await store.note(sampleOf(id.split('|')[0]!, { id, changedAt: minute(at) }));
    }
    const ids = async (filter: Parameters<FreshnessStore['samples']>[0]) =>
      (await store.samples(filter)).map(({ id }) => id);

    expect(await ids({})).toEqual(['base|2', 'child|1', 'base|1']);
    expect(await ids({ image: 'base' })).toEqual(['base|2', 'base|1']);
    expect(await ids({ since: minute(20) })).toEqual(['base|2', 'child|1']);
    expect(await ids({ limit: 1 })).toEqual(['base|2']);
  });

  test('are kept up to a number, the oldest going first', async () => {
    const small = open(3);
    for (let turn = 0; turn < 6; turn++) {
      await small.note(sampleOf('base', { id: `base|${turn}`, changedAt: minute(turn) }));
    }

    expect((await small.samples()).map(({ id }) => id)).toEqual(['base|5', 'base|4', 'base|3']);
    expect((await small.open()).map(({ id }) => id).sort()).toEqual(['base|3', 'base|4', 'base|5']);
    expect(await small.samples({ image: 'base' })).toHaveLength(3);
  });

  test('are kept for thirteen months', async () => {
    await store.note(sampleOf('base', { id: 'base|old' }));
    now += 397 * DAY_MS;

    await store.note(sampleOf('base', { id: 'base|new', changedAt: new Date(now).toISOString() }));

    expect((await store.samples()).map(({ id }) => id)).toEqual(['base|new']);
  });

  test('leave nothing that never goes', async () => {
    await store.note(released('base', 60, { pulls: { 'acme/shop#7': pull } }));
    await store.note(sampleOf('child'));

    const client = new Redis(redisOptions({ url: redis.url }));
    const keys = await client.keys('test:freshness:*');
    const times = await Promise.all(keys.map((key) => client.ttl(key)));
    client.disconnect();

    expect(keys).toHaveLength(6);
    expect(Math.min(...times)).toBeGreaterThan(395 * 24 * 3600);
  });

  test('outlive a Redis that is killed', async () => {
    await store.note(sampleOf('base'));

    await redis.kill();
    await redis.start();

    expect(await open().open()).toEqual([sampleOf('base')]);
  });
});
