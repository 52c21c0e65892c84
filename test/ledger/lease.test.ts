import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLease, type Lease } from '../../src/ledger/lease.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
const leases: Lease[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await Promise.all(leases.map((lease) => lease.close()));
  await redis?.remove();
});

function lease(name: string, id: string, ttlMs = 60_000): Lease {
  const made = createLease({ connection: redisOptions({ url: redis.url }), prefix: 'test', name, id, ttlMs });
  leases.push(made);
  return made;
}

test('one of many holds it, for as long as it goes on', async () => {
  const [first, second] = [lease('one', 'a'), lease('one', 'b')];

  expect([await first.hold(), await second.hold(), await first.hold()]).toEqual([true, false, true]);
});

test('who releases it leaves it to the next at once, and takes nothing from others', async () => {
  const [first, second] = [lease('left', 'a'), lease('left', 'b')];
  await first.hold();

  await second.release();
  expect(await second.hold()).toBe(false);
  await first.release();
  expect([await second.hold(), await first.hold()]).toEqual([true, false]);
});

test('who is silent for longer than it lasts has lost it', async () => {
  const [first, second] = [lease('silent', 'a', 50), lease('silent', 'b', 60_000)];
  await first.hold();

  await expect.poll(() => second.hold(), { timeout: 5_000 }).toBe(true);
  expect(await first.hold()).toBe(false);
});

test('leases of other names are others', async () => {
  expect([await lease('x', 'a').hold(), await lease('y', 'b').hold()]).toEqual([true, true]);
});
