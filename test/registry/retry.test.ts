import { expect, test } from 'vitest';
import { RegistryError } from '../../src/registry/registry.ts';
import { createRetry } from '../../src/registry/retry.ts';
import { retryAfterMs } from '../../src/registry/retry-after.ts';

const failure = (retryable: boolean, details = {}) =>
  new RegistryError('no', { code: 'unavailable', retryable, details });

function retryWith({ random = 0, maxWaitMs = 10_000 } = {}) {
  const waits: number[] = [];
  const sleep = async (ms: number) => void waits.push(ms);
  return { waits, retry: createRetry({ attempts: 4, maxWaitMs, random: () => random, sleep }) };
}

test('waits longer each time, at most as often as allowed', async () => {
  const { waits, retry } = retryWith({ random: 1 });
  let tries = 0;

  const result = retry(async () => {
    tries++;
    throw failure(true);
  });

  await expect(result).rejects.toMatchObject({ code: 'unavailable' });
  expect(tries).toBe(4);
  expect(waits).toEqual([250, 500, 1000]);
});

test('jitter halves the wait at most', async () => {
  const { waits, retry } = retryWith({ random: 0 });

  await retry(() => Promise.reject(failure(true))).catch(() => undefined);

  expect(waits).toEqual([125, 250, 500]);
});

test('does not repeat what cannot succeed, nor errors of our own', async () => {
  const { waits, retry } = retryWith();

  await expect(retry(() => Promise.reject(failure(false)))).rejects.toThrow('no');
  await expect(retry(() => Promise.reject(new TypeError('bug')))).rejects.toThrow('bug');

  expect(waits).toEqual([]);
});

test('waits as long as the registry says, unless that is too long', async () => {
  const { waits, retry } = retryWith();
  const failures = [failure(true, { retryAfterMs: 5_000 }), failure(true, { retryAfterMs: 50_000 })];

  await expect(retry(() => Promise.reject(failures.shift()))).rejects.toMatchObject({
    details: { retryAfterMs: 50_000 },
  });

  expect(waits).toEqual([5_000]);
});

test.each([
  ['7', 7_000],
  ['Thu, 01 Jan 2026 00:00:09 GMT', 9_000],
  ['Wed, 31 Dec 2025 23:59:59 GMT', 0],
  ['soon', undefined],
  [undefined, undefined],
])('Retry-After %s is %s ms', (value, expected) => {
  const headers = { 'retry-after': value };

  expect(retryAfterMs(headers, Date.parse('2026-01-01T00:00:00Z'))).toBe(expected);
});
