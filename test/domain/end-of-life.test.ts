import { expect, test } from 'vitest';
import { endOfLifeHold, explainDeprecation } from '../../src/domain/end-of-life.ts';

const deprecated = { date: '2027-06-30', successor: 'python-312', why: '3.11 gets no fixes any more' };

test.each([
  ['2027-06-30T23:59:59.000Z', undefined],
  ['2027-07-01T00:00:00.000Z', { kind: 'end-of-life', since: '2027-07-01T00:00:00.000Z', successor: 'python-312' }],
])('at %s an image that ends on 30 June is held as %j', (now, hold) => {
  expect(endOfLifeHold({ deprecated }, now)).toEqual(hold);
});

test('an image without an end is never held', () => {
  expect(endOfLifeHold({}, '2099-01-01T00:00:00.000Z')).toBeUndefined();
});

test.each([
  ['2027-01-01T00:00:00Z', 'It is rebuilt until 2027-06-30: 3.11 gets no fixes any more. python-312 takes its place.'],
  [
    '2027-08-01T00:00:00Z',
    'It has not been rebuilt since 2027-06-30: 3.11 gets no fixes any more. python-312 takes its place.',
  ],
])('at %s people read: %s', (now, words) => {
  expect(explainDeprecation(deprecated, now)).toBe(words);
});

test('a date alone is enough', () => {
  expect(explainDeprecation({ date: '2027-06-30' }, '2027-01-01T00:00:00Z')).toBe('It is rebuilt until 2027-06-30.');
});
