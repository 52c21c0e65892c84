import { z } from 'zod';
import { isDayOfCalendar } from '../calendar.ts';
import { type ReadDocument, readDocument, type SourceText } from './document.ts';
import type { Waiver } from './model.ts';
import { Line } from './values.ts';

const Day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, { error: 'is no day; write it as in 2026-12-31', abort: true })
  .refine(isDayOfCalendar, 'is no day of the calendar; write it as in 2026-12-31');

/** waivers.yaml. One that has ended is no mistake: the finding that it covered says so. */
const WaiversFile = z.array(
  z.strictObject({
    id: Line.min(1, 'is empty'),
    package: Line.min(1, 'is empty').optional(),
    reason: Line.min(1, 'is empty; say why this is accepted'),
    until: Day,
  }),
);

export function readWaivers(source: SourceText): ReadDocument<readonly Waiver[]> {
  return readDocument<readonly Waiver[]>(source, WaiversFile as unknown as z.ZodType<readonly Waiver[]>, { empty: [] });
}
