import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainPace, GITHUB_LIMITS, nextTurns, pacedError, pacedUntil } from '../../src/domain/pace.ts';

const now = Date.parse('2026-08-22T02:00:00Z');

test('writes are a second apart, and none waits where there is no limit', () => {
  expect(nextTurns([], { apartMs: 1000 }, { count: 3, now })).toEqual([now, now + 1000, now + 2000]);
  expect(nextTurns([now], {}, { count: 2, now })).toEqual([now, now]);
});

test('what was promised to others comes first', () => {
  expect(nextTurns([now + 5000], { apartMs: 1000 }, { count: 1, now })).toEqual([now + 6000]);
});

test('1,000 pull requests of four writes take GitHub some nine hours', () => {
  const turns = nextTurns([], GITHUB_LIMITS, { count: 4000, now });

  expect((turns.at(-1)! - now) / 3_600_000).toBeCloseTo(9.1, 0);
});

test('the last fifth of an hour is kept for what is urgent', () => {
  const spent = nextTurns([], GITHUB_LIMITS, { count: 400, now });
  const later = { count: 1, now: spent.at(-1)! };

  expect(nextTurns(spent, GITHUB_LIMITS, later)[0]).toBe(now + 3_600_000);
  expect(nextTurns(spent, GITHUB_LIMITS, { ...later, urgent: true })[0]).toBeLessThan(later.now + 60_000);
});

describe('at no time', () => {
  const most = (times: readonly number[], ms: number) =>
    Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time < from + ms).length));

  test('is there more than the limits allow, whoever asks when', () => {
    const asks = fc.array(
      fc.record({
        count: fc.integer({ min: 1, max: 30 }),
        pause: fc.integer({ min: 0, max: 90_000 }),
        urgent: fc.boolean(),
      }),
      { maxLength: 12 },
    );
    const limits = { perMinute: 7, perHour: 40, apartMs: 500 };
    fc.assert(
      fc.property(asks, (all) => {
        let [times, clock]: [readonly number[], number] = [[], now];
        for (const { count, pause, urgent } of all) {
          clock += pause;
          times = [...times, ...nextTurns(times, limits, { count, now: clock, urgent })];
        }
        expect(most(times, 60_000)).toBeLessThanOrEqual(7);
        expect(most(times, 3_600_000)).toBeLessThanOrEqual(40);
        expect(times.every((time, index) => index === 0 || time - times[index - 1]! >= 500)).toBe(true);
      }),
    );
  });
});

test('what has to wait is told until when', () => {
  const error = pacedError('github.com', { after: now + 60_000, now });

  expect(error.message).toBe('github.com takes no more writes before 2026-08-22 02:01 UTC; the next look goes on');
  expect(pacedUntil(error)).toBe(now + 60_000);
  expect(pacedUntil(new Error('other'))).toBeUndefined();
  expect(explainPace({ host: 'github.com', count: 312, until: now + 6_000_000 })).toBe(
    '312 pull requests at github.com, until about 2026-08-22 03:40 UTC',
  );
});
