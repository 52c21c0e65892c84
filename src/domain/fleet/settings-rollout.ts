import { z } from 'zod';
import { Duration, Line, Percent } from './values.ts';

/** In which order downstreams are proposed a release. */
export interface RolloutSettings {
  /** Names of repositories that come first. */
  readonly canary: readonly string[];
  /** Of the others, in percent, rising; what is missing to 100 comes last. */
  readonly share: readonly number[];
  /** Seconds between one wave and the next. */
  readonly soak: number;
  /** So many downstreams that merged it may have a red branch. */
  readonly maxFailing: number;
  /** What a fix of a critical vulnerability does. */
  readonly critical: 'wait' | 'skip-soak';
}

const Share = Percent.refine((percent) => percent > 0 && percent <= 100, 'must be more than 0% and at most 100%');

export const RolloutFile = z.strictObject({
  canary: z.array(Line.min(1, 'is empty')).default([]),
  share: z
    .array(Share)
    .refine(
      (all) => all.every((each, index) => index === 0 || each > all[index - 1]!),
      'must rise, as in [10%, 50%, 100%]',
    )
    .default([100]),
  soak: Duration.default(24 * 3600),
  maxFailing: z.int().nonnegative().default(0),
  critical: z.enum(['wait', 'skip-soak']).default('wait'),
}) satisfies z.ZodType<RolloutSettings>;
