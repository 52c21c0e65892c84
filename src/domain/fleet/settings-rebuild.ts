import { z } from 'zod';
import type { Window } from '../window.ts';
import { Cron } from './cron.ts';
import { Duration } from './values.ts';

/** When stale images are rebuilt, as validated. */
export interface RebuildSettings {
  /** Seconds without a further change before a rebuild starts; 0: at once. */
  readonly settleSeconds: number;
  /** The most that settling and platform skew hold up a rebuild. */
  readonly maxWaitSeconds: number;
  /** Absent: at any time. */
  readonly window?: Window;
  /** How many images are rebuilt in 24 hours for a new recipe alone. */
  readonly recipesPerDay: number;
  /** When the service makes a whole cycle: a cron expression. Absent: never for that reason alone. */
  readonly nightly?: string;
  /** IANA name of the zone that schedules are read in. Absent: UTC. */
  readonly timezone?: string;
  /** A platform without a native worker for so long is emulated, where a worker can. Absent: ten minutes. */
  readonly emulateAfterSeconds?: number;
  /** A platform of a new base that is older than the newest by more is waited for. Absent: no matter. */
  readonly platformSkewSeconds?: number;
}

const DEFAULT_TIME_ZONE = 'UTC';

const TimeZone = z.string().refine(isTimeZone, 'is no time zone; write it as in Europe/Berlin');

const Hours = z
  .string()
  .regex(
    /^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/,
    'must be two times of day, as in 22:00-06:00; quote it in YAML',
  )
  .refine((text) => text.slice(0, 5) !== text.slice(6), 'opens and closes at the same time; leave it out for "always"');

export const Rebuild = z
  .strictObject({
    settle: Duration.default(0),
    maxWait: Duration.default(2 * 3600),
    window: Hours.optional(),
    timezone: TimeZone.default(DEFAULT_TIME_ZONE),
    recipes: z.int().nonnegative().default(25),
    platformSkew: Duration.optional(),
    nightly: Cron.optional(),
    emulateAfter: Duration.optional(),
  })
  .transform(
    ({ settle, maxWait, window, timezone, recipes, platformSkew, nightly, emulateAfter }): RebuildSettings => ({
      settleSeconds: settle,
      maxWaitSeconds: maxWait,
      ...(window === undefined ? {} : { window: toWindow(window, timezone) }),
      recipesPerDay: recipes,
      timezone,
      ...(nightly === undefined ? {} : { nightly }),
      ...(emulateAfter === undefined ? {} : { emulateAfterSeconds: emulateAfter }),
      ...(platformSkew === undefined ? {} : { platformSkewSeconds: platformSkew }),
    }),
  );

function toWindow(text: string, timezone: string): Window {
  const [from = '', until = ''] = text.split('-');
  return { fromMinute: minuteOfDay(from), untilMinute: minuteOfDay(until), timezone };
}

function minuteOfDay(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
