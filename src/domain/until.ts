import { isDayOfCalendar } from './calendar.ts';
import { FactoryError } from './errors.ts';
import { Duration } from './fleet/values.ts';

const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;
const DAY_MS = 86_400_000;

/**
 * When something ends that a person limits: `4h` from now, `2026-12-24` (that day, UTC, is still in it), or
 * `2026-12-24T18:00+01:00`. @returns RFC 3339, UTC. @throws FactoryError `usage`
 */
export function parseUntil(text: string, now: Date): string {
  const duration = Duration.safeParse(text);
  const time = duration.success ? now.getTime() + duration.data * 1000 : parseMoment(text);
  if (time <= now.getTime()) throw usage(`"${text}" is over already; name a time to come`);
  return new Date(time).toISOString();
}

function parseMoment(text: string): number {
  const time = MOMENT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time) || !isDayOfCalendar(text)) {
    throw usage(`"${text}" is no time; write 4h, 2d, 2026-12-24 or 2026-12-24T18:00+01:00`);
  }
  return text.includes('T') ? time : time + DAY_MS;
}

function usage(message: string): FactoryError<'usage'> {
  return new FactoryError(message, { code: 'usage' });
}
