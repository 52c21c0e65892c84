import { z } from 'zod';
import type { FreshnessGoals } from '../freshness.ts';
import { Duration } from './values.ts';

const Goal = Duration.refine((seconds) => seconds > 0, 'is no time at all; write it as in 6h, or leave it out');

/** Goals of freshness: `{ detect: 30m, release: 6h, critical: 4h }`, each of them for itself. */
export const Freshness = z
  .strictObject({ detect: Goal.optional(), release: Goal.optional(), critical: Goal.optional() })
  .refine(
    ({ detect = 0, release = Number.POSITIVE_INFINITY }) => detect <= release,
    'wants a change released before it has to be seen; make "release" at least as long as "detect"',
  )
  .transform(
    ({ detect, release, critical }): FreshnessGoals => ({
      ...(detect !== undefined && { detectSeconds: detect }),
      ...(release !== undefined && { releaseSeconds: release }),
      ...(critical !== undefined && { criticalSeconds: critical }),
    }),
  );
