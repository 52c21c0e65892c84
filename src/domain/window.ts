/** A stretch of each day, in local time. One whose end comes before its start goes over midnight. */
export interface Window {
  /** Minutes since midnight. */
  readonly fromMinute: number;
  readonly untilMinute: number;
  /** IANA name. */
  readonly timezone: string;
}

const DAY = 24 * 60;

/** Undefined while the window is open; else when it opens next, RFC 3339. */
export function opensAt(window: Window, now: string): string | undefined {
  const time = Date.parse(now);
  const minute = localMinute(time, window.timezone);
  if (since(window.fromMinute, minute) < since(window.fromMinute, window.untilMinute)) return undefined;
  const guess = Math.floor(time / 60_000 + since(minute, window.fromMinute)) * 60_000;
  // The clocks may change in between, by up to two hours in either direction.
  const late = since(window.fromMinute, localMinute(guess, window.timezone));
  const off = late > DAY / 2 ? late - DAY : late;
  return new Date(guess - off * 60_000).toISOString();
}

/** Minutes from one time of day to the next time that it is the other. */
function since(from: number, to: number): number {
  return (to - from + DAY) % DAY;
}

function localMinute(time: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
    .formatToParts(new Date(time))
    .filter(({ type }) => type === 'hour' || type === 'minute')
    .map(({ value }) => Number(value));
  return parts[0]! * 60 + parts[1]!;
}
