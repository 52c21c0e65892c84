import { expect, test } from 'vitest';
import { learnFrom } from '../../src/ledger/budget-headers.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

test.each([
  [
    'Docker Hub',
    200,
    { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' },
    { limit: 100, remaining: 76, windowMs: 21_600_000 },
  ],
  [
    'GitHub, used up',
    403,
    { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW / 1000 + 90) },
    { limit: 60, remaining: 0, pausedUntil: NOW + 90_000 },
  ],
  [
    'GitHub, taken for abuse',
    403,
    { 'retry-after': '60' },
    { pausedUntil: NOW + 60_000, why: 'it took our requests for abuse' },
  ],
  [
    'GitLab',
    429,
    { 'ratelimit-remaining': '0', 'ratelimit-reset': String(NOW / 1000 + 30) },
    { remaining: 0, pausedUntil: NOW + 30_000 },
  ],
  ['a date', 503, { 'retry-after': 'Mon, 23 Nov 2026 12:00:10 GMT' }, { pausedUntil: NOW + 10_000 }],
  ['nothing but 429', 429, {}, { pausedUntil: NOW + 2_000 }],
])('%s is understood', (_name, status, headers, learnt) => {
  expect(learnFrom(status, headers as Record<string, string>, NOW)).toMatchObject(learnt);
});

test('an answer that says nothing teaches nothing, and none makes anybody wait for days', () => {
  expect(learnFrom(200, {}, NOW)).toBeUndefined();
  expect(learnFrom(403, {}, NOW)).toBeUndefined();
  expect(learnFrom(429, { 'retry-after': '9999999' }, NOW)?.pausedUntil).toBe(NOW + 6 * 3600_000);
});
