import { expect, test } from 'vitest';
import { createBudget } from '../../src/registry/budget.ts';

const answer = (status: number, headers: Record<string, string> = {}) => ({ status, headers });

function budgetWith({ concurrency = 4, maxWaitMs = 10_000 } = {}) {
  const clock = { now: 0, waits: [] as number[] };
  const sleep = async (ms: number) => {
    clock.waits.push(ms);
    clock.now += ms;
  };
  return { clock, budget: createBudget({ concurrency, maxWaitMs, now: () => clock.now, sleep }) };
}

test('sends no more at once to a host than it allows, and hosts do not wait for each other', async () => {
  const { budget } = budgetWith({ concurrency: 2 });
  const gate = Promise.withResolvers<void>();
  const started: string[] = [];
  const send = (host: string) =>
    budget.spend({ host, counted: false }, async () => {
      started.push(host);
      await gate.promise;
      return answer(200);
    });

  const all = Promise.all(['a', 'a', 'a', 'b'].map(send));
  await expect.poll(() => started).toEqual(['a', 'a', 'b']);
  gate.resolve();
  await all;

  expect(started).toEqual(['a', 'a', 'b', 'a']);
});

test('holds back all requests to a host that answered 429', async () => {
  const { clock, budget } = budgetWith();
  await budget.spend({ host: 'a', counted: false }, async () => answer(429, { 'retry-after': '3' }));

  await budget.spend({ host: 'b', counted: false }, async () => answer(200));
  expect(clock.waits).toEqual([]);
  await budget.spend({ host: 'a', counted: false }, async () => answer(200));
  expect(clock.waits).toEqual([3_000]);
});

test('holds back the account that was refused, and no other one of the host', async () => {
  const { clock, budget } = budgetWith();
  await budget.spend({ host: 'a', counted: false }, async () => answer(429, { 'retry-after': '3' }));

  await budget.spend({ host: 'a', counted: true, identity: 'account-1' }, async () => answer(200));
  expect(clock.waits).toEqual([]);
  await budget.spend({ host: 'a', counted: true, identity: 'anonymous' }, async () => answer(200));
  expect(clock.waits).toEqual([3_000]);
});

test('lets pulls through again when some remain', async () => {
  const { clock, budget } = budgetWith();
  const pull = (remaining: string) =>
    budget.spend({ host: 'a', counted: true }, async () => answer(200, { 'ratelimit-remaining': remaining }));
  await pull('0;w=21600');

  await expect(pull('1;w=21600')).rejects.toMatchObject({ code: 'rate-limited', details: { retryAfterMs: 60_000 } });
  clock.now += 60_000;
  await pull('5;w=21600');
  await pull('4;w=21600');

  expect(clock.waits).toEqual([]);
});

test('starts nothing that was cancelled meanwhile', async () => {
  const { budget } = budgetWith();
  let sent = false;

  const spent = budget.spend({ host: 'a', counted: false, signal: AbortSignal.abort() }, async () => {
    sent = true;
    return answer(200);
  });

  await expect(spent).rejects.toThrow();
  expect(sent).toBe(false);
});
