import { defaultRepeatStrategy } from 'bullmq';
import cron from 'node-cron';

const COMPARED = 50;

/**
 * What is wrong with a cron expression, if anything. BullMQ fires it, and node-cron shows its next
 * times; where the two would differ in any of the next times, nobody could rely on what is shown (decisions 14).
 */
export function mistakeInCron(expression: string, timezone: string, now: Date): string | undefined {
  const checked = cron.validateDetailed(expression);
  if (!checked.valid) return `is no cron expression: ${checked.errors.map(({ message }) => message).join('; ')}`;
  const fields = expression.split(' ');
  if (fields.length !== 5) return 'must have five fields: minute, hour, day, month, day of the week';
  if (/[LW#]/i.test(`${fields[2]} ${fields[4]}`.replace(/[A-Z]{3}/gi, ''))) {
    return 'uses L, W or #, which programs read in different ways; name days instead';
  }
  if (fields[2] !== '*' && fields[4] !== '*') {
    return 'names days of the month and of the week, which some read as "and", others as "or"; name one of the two';
  }
  try {
    const fired = firedTimes(expression, timezone, now, COMPARED);
    const shown = nextTimes(expression, timezone, COMPARED);
    if (fired.length === 0) return 'has no next time';
    const place = shown.findIndex((time, index) => time !== fired[index]);
    return place === -1 ? undefined : `is read in different ways: ${shown[place]} or ${fired[place] ?? 'never'}`;
  } catch (error) {
    return `has no next time: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** When BullMQ fires: RFC 3339, UTC. */
export function firedTimes(expression: string, timezone: string, from: Date, count: number): readonly string[] {
  const times: number[] = [];
  for (let at = from.getTime(); times.length < count; at = times.at(-1)!) {
    const next = defaultRepeatStrategy(at, { pattern: expression, tz: timezone });
    if (next === undefined) break;
    times.push(next);
  }
  return times.map((time) => new Date(time).toISOString());
}

/** RFC 3339, UTC, from now on; what people are shown. */
export function nextTimes(expression: string, timezone: string, count: number): readonly string[] {
  const task = cron.createTask(expression, () => {}, { timezone });
  try {
    return task.getNextRuns(count).map((time) => time.toISOString());
  } finally {
    void task.destroy();
  }
}
