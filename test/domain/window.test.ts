import { describe, expect, test } from 'vitest';
import { opensAt } from '../../src/domain/window.ts';

const night = { fromMinute: 22 * 60, untilMinute: 6 * 60, timezone: 'Europe/Berlin' };

describe('a rebuild window', () => {
  test.each([
    ['in the evening', '2026-01-10T21:00:00Z'], // 22:00 in Berlin
    ['after midnight', '2026-01-11T03:00:00Z'],
    ['a minute before it closes', '2026-01-11T04:59:59Z'],
  ])('over midnight is open %s', (_when, now) => {
    expect(opensAt(night, now)).toBeUndefined();
  });

  test.each([
    ['in winter', '2026-01-11T05:00:00Z', '2026-01-11T21:00:00.000Z'],
    ['in summer', '2026-07-11T12:34:56Z', '2026-07-11T20:00:00.000Z'],
    ['when the clocks go forward before it', '2026-03-28T12:00:00Z', '2026-03-28T21:00:00.000Z'],
    ['on the day after the clocks went back', '2026-10-25T12:00:00Z', '2026-10-25T21:00:00.000Z'],
  ])('opens at its local time %s', (_when, now, opens) => {
    expect(opensAt(night, now)).toBe(opens);
  });

  test('opens at its local time although the clocks change in between', () => {
    const morning = { fromMinute: 5 * 60, untilMinute: 6 * 60, timezone: 'Europe/Berlin' };

    expect(opensAt(morning, '2026-03-28T22:00:00Z')).toBe('2026-03-29T03:00:00.000Z');
    expect(opensAt(morning, '2026-10-24T22:00:00Z')).toBe('2026-10-25T04:00:00.000Z');
  });
});
