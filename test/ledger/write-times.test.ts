import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSharedWriteTimes } from '../../src/ledger/write-times.ts';
import { createPacer, createWriteTimes } from '../../src/lib/pacer.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
const open: Redis[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  for (const each of open) each.disconnect();
  await redis.remove();
});

const start = Date.parse('2026-11-23T12:00:00Z');

/** A process of its own: it knows others only by Redis. */
function process(prefix: string, clock: { now: number }, maxWaitMs = 90_000) {
  const connection = new Redis(redis.url);
  open.push(connection);
  const waits: number[] = [];
  const sleep = async (ms: number) => void waits.push(ms);
  const times = createSharedWriteTimes(connection, (writer) => `${prefix}:${writer}`);
  return { waits, pacer: createPacer({ times, maxWaitMs, now: () => clock.now, sleep }) };
}

const writer = { host: 'github.com', identity: 'T', limits: { perMinute: 4, apartMs: 1000 } };

test('two processes share what a forge allows', async () => {
  const clock = { now: start };
  const [a, b] = [process('shared', clock), process('shared', clock)];

  await a.pacer.turn(writer, 3);
  await b.pacer.turn(writer, 1);
  await b.pacer.turn(writer, 1);

  expect(a.waits).toEqual([]);
  expect(b.waits).toEqual([3000, 60_000]);
});

test('turns that are asked for at once are all given out, each once', async () => {
  const clock = { now: start };
  const processes = [1, 2, 3, 4].map(() => process('raced', clock, 1e9));

  await Promise.all(
    processes.flatMap(({ pacer }) => [1, 2, 3].map(() => pacer.turn({ ...writer, limits: { apartMs: 1000 } }, 1))),
  );

  const waits = processes.flatMap((each) => each.waits).sort((x, y) => x - y);
  expect(waits).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((seconds) => seconds * 1000));
});

test('other hosts and other accounts have limits of their own', async () => {
  const { pacer, waits } = process('others', { now: start });

  await pacer.turn(writer, 4);
  await pacer.turn({ ...writer, identity: 'U' }, 1);
  await pacer.turn({ ...writer, host: 'git.acme.example' }, 1);

  expect(waits).toEqual([]);
});

test('who would wait for too long is told so, and has taken nothing', async () => {
  const clock = { now: start };
  const { pacer } = process('long', clock, 30_000);
  await pacer.turn(writer, 4);

  await expect(pacer.turn(writer, 1)).rejects.toMatchObject({
    code: 'rate-limited',
    retryable: true,
    details: { writesAfter: start + 60_000 },
  });
  expect(await pacer.until(writer, 1)).toBe(start + 60_000);
  clock.now = start + 60_000;
  await pacer.turn(writer, 1);
});

test('without Redis each process minds its own', async () => {
  const connection = new Redis({ port: 1, lazyConnect: true, maxRetriesPerRequest: 0, enableOfflineQueue: false });
  connection.on('error', () => {});
  const times = createSharedWriteTimes(connection, (name) => name);
  const waits: number[] = [];
  const pacer = createPacer({ times, maxWaitMs: 90_000, now: () => start, sleep: async (ms) => void waits.push(ms) });

  await pacer.turn(writer, 4);
  await pacer.turn(writer, 1);

  expect(waits).toEqual([60_000]);
  connection.disconnect();
});

test('requests within a turn are apart from each other', async () => {
  const waits: number[] = [];
  const sleep = async (ms: number) => void waits.push(ms);
  const pacer = createPacer({ times: createWriteTimes(), maxWaitMs: 1, now: () => start, sleep });

  await Promise.all([1, 2, 3].map(() => pacer.apart(writer)));

  expect(waits).toEqual([1000, 2000]);
});
