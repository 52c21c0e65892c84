import { z } from 'zod';
import { Duration } from './values.ts';

/** How often a factory that keeps running looks by itself. */
export interface WatchSettings {
  /** Seconds between two sweeps of all upstreams. */
  readonly everySeconds: number;
}

export const DEFAULT_WATCH: WatchSettings = { everySeconds: 600 };

const Every = Duration.refine(
  (seconds) => seconds >= 60,
  'is too often for other people’s registries; wait at least 1m',
);

export const Watch = z
  .strictObject({ every: Every.default(DEFAULT_WATCH.everySeconds) })
  .transform(({ every }): WatchSettings => ({ everySeconds: every }));
