import type { Queue } from 'bullmq';
import { PRIORITY_OF_SCHEDULES } from './options.ts';
import { PAYLOAD_VERSION } from './payloads.ts';
import type { Schedule } from './run-queue.ts';

/**
 * BullMQ fires them: once, however many processes set them, and one that was missed is made up for when somebody is
 * there again (facts/queue.md 7). Those that left the settings go.
 */
export async function setSchedules(queue: Queue, schedules: readonly Schedule[]): Promise<void> {
  const known = await queue.getJobSchedulers();
  const names = new Set(schedules.map(({ name }) => name));
  for (const { key } of known) if (!names.has(key)) await queue.removeJobScheduler(key);
  for (const schedule of schedules) {
    const repeat =
      'cron' in schedule ? { pattern: schedule.cron, tz: schedule.timezone } : { every: schedule.everySeconds * 1000 };
    const before = known.find(({ key }) => key === schedule.name);
    if (before !== undefined && isSame(before, repeat)) continue; // to set it again would start its interval anew
    const { name } = schedule;
    await queue.upsertJobScheduler(name, repeat, {
      name,
      data: { v: PAYLOAD_VERSION, name },
      opts: { removeOnComplete: true, removeOnFail: true, priority: PRIORITY_OF_SCHEDULES },
    });
  }
}

interface Repeat {
  readonly pattern?: string | undefined;
  readonly tz?: string | undefined;
  readonly every?: number | undefined;
}

function isSame(before: Repeat, now: Repeat): boolean {
  const every = before.every == null ? undefined : Number(before.every);
  return (before.pattern ?? undefined) === now.pattern && (before.tz ?? undefined) === now.tz && every === now.every;
}
