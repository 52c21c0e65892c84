import { describe, expect, test } from 'vitest';
import { firedTimes, mistakeInCron, nextTimes } from '../../src/queue/cron.ts';

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'];

describe('what fires an expression and what shows its times', () => {
  test.each([
    '0 2 * * *',
    '30 2 * * *',
    '*/15 * * * *',
    '0 2 * * 1-5',
    '0 2 * * mon,thu',
    '0 2 1 * *',
    '5 4 1-7 jan,jul *',
    '0 0 29 2 *',
    '0 22-23,0-6 * * *',
    '59 23 31 12 *',
    '0 2 * * 7',
  ])('read %s alike in its next fifty times, in every zone', (expression) => {
    for (const zone of ZONES) {
      const now = new Date();

      const wrong = mistakeInCron(expression, zone, now);

      // Hours that clocks leave out, or have twice, may be read in two ways: then it is refused, never shown wrongly
      if (wrong === undefined) {
        expect(firedTimes(expression, zone, now, 50)).toEqual(nextTimes(expression, zone, 50));
      } else expect(wrong).toMatch(/is read in different ways/);
    }
  });

  test.each(['0 4 * * *', '0 4 * * 1-5', '0 12 1 * *'])(
    'agree on %s, which no change of clocks touches',
    (expression) => {
      for (const zone of ZONES.slice(0, 4)) expect(mistakeInCron(expression, zone, new Date())).toBeUndefined();
    },
  );
});

describe('an expression that programs read in different ways', () => {
  test.each([
    ['0 2 1 * 1', /days of the month and of the week/],
    ['0 2 15W * *', /is no cron expression|L, W or #/],
    ['0 2 L * *', /is no cron expression|L, W or #/],
    ['0 2 * * 5#2', /is no cron expression|L, W or #/],
    ['61 2 * * *', /is no cron expression/],
    ['0 0 2 * * *', /five fields/],
    ['0 2 * *', /is no cron expression|five fields/],
    ['0 2 30 2 *', /no next time|is no cron expression|different ways/],
  ])('%s is refused with the reason', (expression, reason) => {
    expect(mistakeInCron(expression, 'UTC', new Date())).toMatch(reason);
  });
});
