import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSharedBudgets } from '../../src/ledger/budgets.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.remove());

const answer = (status: number, headers: Record<string, string> = {}) => ({ status, headers });

/** Two processes that know each other only by Redis, on one clock. */
async function processes(prefix: string) {
  const clock = { now: Date.parse('2026-11-23T12:00:00Z'), waits: [] as number[] };
  const make = (id: string) =>
    createSharedBudgets({
      connection: redisOptions({ url: redis.url }),
      ...{ prefix, id, maxWaitMs: 10_000, now: () => clock.now },
      sleep: async (ms) => {
        clock.waits.push(ms);
        clock.now += ms;
      },
    });
  const [a, b] = [make('a'), make('b')];
  await expect.poll(() => Promise.all([a.views(), b.views()])).toEqual([[], []]);
  return {
    clock,
    a: a.of('registry'),
    b: b.of('registry'),
    views: () => a.views(),
    close: () => Promise.all([a.close(), b.close()]),
  };
}

test('a host that answered one process 429 is left alone by all of them, and no other host is', async () => {
  const { clock, a, b, close } = await processes('paused');
  await a.spend({ host: 'hub', counted: false }, async () => answer(429, { 'retry-after': '3' }));

  await b.spend({ host: 'ghcr', counted: true }, async () => answer(200));
  expect(clock.waits).toEqual([]);
  await b.spend({ host: 'hub', counted: true }, async () => answer(200));

  expect(clock.waits).toEqual([3_000]);
  await close();
});

test('what one process took is missing for the others, until it has come back by the rate of the host', async () => {
  const { clock, a, b, views, close } = await processes('spent');
  const pull = { host: 'hub', counted: true };
  await a.spend(pull, async () => answer(200, { 'ratelimit-limit': '100;w=100', 'ratelimit-remaining': '2;w=100' }));

  await b.spend(pull, async () => answer(200));
  await a.spend(pull, async () => answer(200));
  expect(clock.waits).toEqual([]);
  await b.spend(pull, async () => answer(200));

  expect(clock.waits).toEqual([1_000]);
  expect(await views()).toMatchObject([{ host: 'hub', limit: 100, remaining: 0, windowSeconds: 100, spentToday: 4 }]);
  await close();
});

test('who logs in at a host has another budget there than nobody in particular, in every process', async () => {
  const { clock, a, b, views, close } = await processes('accounts');
  const pull = { host: 'hub', counted: true };
  const own = { ...pull, identity: 'account-1f0c3a7e' };
  await a.spend(pull, async () => answer(429, { 'retry-after': '3', 'ratelimit-remaining': '0' }));
  await a.spend(own, async () => answer(200, { 'ratelimit-limit': '200', 'ratelimit-remaining': '150' }));

  await b.spend(own, async () => answer(200));

  expect(clock.waits).toEqual([]);
  expect(await views()).toMatchObject([
    { host: 'hub', identity: 'anonymous', remaining: 0, pausedUntil: expect.any(String) },
    { host: 'hub', identity: 'account-1f0c3a7e', limit: 200, remaining: 149 },
  ]);
  await close();
});

test('a wait that is too long is an error that says when', async () => {
  const { a, b, views, close } = await processes('long');
  await a.spend({ host: 'hub', counted: true }, async () => answer(429, { 'retry-after': '600' }));

  const spent = b.spend({ host: 'hub', counted: true }, async () => answer(200));

  await expect(spent).rejects.toMatchObject({ code: 'rate-limited', details: { retryAfterMs: 600_000 } });
  expect(await views()).toMatchObject([{ pausedUntil: '2026-11-23T12:10:00.000Z', why: 'it answered 429' }]);
  await close();
});

test('without Redis requests go on', async () => {
  const { a, close } = await processes('lost');
  await redis.stop();

  await expect(a.spend({ host: 'hub', counted: true }, async () => answer(200))).resolves.toEqual(answer(200));

  await redis.start();
  await close();
});

test('a forge has a budget of its own, also where its host is a registry as well', async () => {
  const budgets = createSharedBudgets({
    connection: redisOptions({ url: redis.url }),
    ...{ prefix: 'forge', id: 'a', maxWaitMs: 10, now: () => Date.parse('2026-11-23T12:00:00Z') },
    sleep: async () => {},
  });
  await expect.poll(() => budgets.views()).toEqual([]);
  const use = { host: 'git.acme.example', counted: true };
  const limits = { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '4000' };

  await budgets.of('forge').spend(use, async () => answer(403, { ...limits, 'retry-after': '60' }));
  await budgets.of('registry').spend(use, async () => answer(200));

  await expect(budgets.of('forge').spend(use, async () => answer(200))).rejects.toMatchObject({ code: 'rate-limited' });
  expect(await budgets.views()).toMatchObject([
    { kind: 'forge', limit: 5000, remaining: 4000, pausedUntil: expect.any(String) },
  ]);
  await budgets.close();
});
