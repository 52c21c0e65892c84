import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Embedded, startEmbedded } from '../../src/embedded/embedded.ts';
import type { LockOptions } from '../../src/ledger/ledger.ts';
import { createRedisLedger } from '../../src/ledger/redis.ts';
import { redisOptions } from '../../src/queue/connection.ts';

let folder: string;
let embedded: Embedded;
const opened: { close(): Promise<void> }[] = [];

/** As another process would have it: a connection of its own. */
function open() {
  const ledger = createRedisLedger({ connection: redisOptions({ path: embedded.redis! }), prefix: 'test' });
  opened.push(ledger);
  return ledger;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-lock-'));
  embedded = await startEmbedded({ dataDirectory: folder, needs: { redis: true } });
});
afterAll(async () => {
  await Promise.all(opened.map((ledger) => ledger.close()));
  await embedded?.close();
  await rm(folder, { recursive: true, force: true });
});

const options = (name: string, more: Partial<LockOptions> = {}): LockOptions => ({
  ...{ name, ttlMs: 10_000, waitMs: 10_000 },
  ...more,
});

test('a lock has one holder at a time, and each later one a greater fence', async () => {
  let holders = 0;
  const seen: { fence: number; holders: number }[] = [];
  const work = async () => {
    const lock = await open().lock(options('one'));
    holders += 1;
    seen.push({ fence: lock.fence, holders });
    await new Promise(setImmediate);
    holders -= 1;
    await lock.release();
  };

  await Promise.all(Array.from({ length: 8 }, work));

  expect(seen.map((each) => each.holders)).toEqual(Array(8).fill(1));
  expect(seen.map(({ fence }) => fence)).toEqual(seen.map(({ fence }) => fence).toSorted((a, b) => a - b));
  expect(new Set(seen.map(({ fence }) => fence)).size).toBe(8);
});

test('locks of other names are free', async () => {
  const first = await open().lock(options('a'));
  const second = await open().lock(options('b'));

  expect([first.isHeld(), second.isHeld()]).toEqual([true, true]);
});

test('it is renewed while its holder lives', async () => {
  const lock = await open().lock(options('renewed', { ttlMs: 200 }));

  await expect(open().lock(options('renewed', { waitMs: 700 }))).rejects.toMatchObject({ code: 'timed-out' });
  expect(lock.isHeld()).toBe(true);
});

test('a holder that is gone loses it, knows that, and takes nothing from the next', async () => {
  const gone = open();
  const lost = await gone.lock(options('lost', { ttlMs: 300 }));
  await gone.close();

  const next = await open().lock(options('lost'));
  await lost.release();

  expect(lost.isHeld()).toBe(false);
  expect(next.fence).toBeGreaterThan(lost.fence);
  await expect(open().lock(options('lost', { waitMs: 100 }))).rejects.toMatchObject({ retryable: true });
});

test('waiting ends when it is cancelled', async () => {
  await open().lock(options('cancelled'));
  const controller = new AbortController();
  const waiting = open().lock(options('cancelled', { signal: controller.signal }));

  controller.abort();

  await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
});
