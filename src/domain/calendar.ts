/** Whether a text that begins with `YYYY-MM-DD` names a day that exists: JavaScript takes 31 February for 3 March. */
export function isDayOfCalendar(text: string): boolean {
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && formatDay(day.toISOString()) === text.slice(0, 10);
}

/** `2026-12-24`, UTC. @param time RFC 3339, UTC */
export function formatDay(time: string): string {
  return time.slice(0, 10);
}

/** `2026-12-24 18:00 UTC`. @param time RFC 3339, UTC */
export function formatMinute(time: string): string {
  return `${formatDay(time)} ${time.slice(11, 16)} UTC`;
}
