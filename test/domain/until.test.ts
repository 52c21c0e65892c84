import { expect, test } from 'vitest';
import { parseUntil } from '../../src/domain/until.ts';

const now = new Date('2026-11-20T12:00:00Z');

test.each([
  ['4h', '2026-11-20T16:00:00.000Z'],
  ['2d', '2026-11-22T12:00:00.000Z'],
  ['2026-12-24', '2026-12-25T00:00:00.000Z'],
  ['2026-12-24T18:00+01:00', '2026-12-24T17:00:00.000Z'],
  ['2026-12-24T18:00:30Z', '2026-12-24T18:00:30.000Z'],
])('"%s" ends at %s', (text, expected) => {
  expect(parseUntil(text, now)).toBe(expected);
});

test.each([
  ['2026-11-19', 'is over already'],
  ['0s', 'is over already'],
  ['2026-02-31', 'is no time'],
  ['tomorrow', 'is no time'],
  ['2026-12-24T18:00', 'is no time'],
])('"%s" is refused', (text, why) => {
  expect(() => parseUntil(text, now)).toThrow(why);
});
