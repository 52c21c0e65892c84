import { z } from 'zod';

/** Five fields of minutes, hours, days, months, days of the week. */
export const Cron = z
  .string()
  .regex(/^\S+( \S+){4}$/, 'is no cron expression of five fields; write it as in "0 2 * * *" for two at night');
