import type { FreshnessView } from '../domain/service/views.ts';

/** Places on the way of a change upstream. */
export type Stage = 'detected' | 'started' | 'released' | 'merged';

/** Seconds; absent when there is nothing to take them from. */
export interface Lags {
  readonly count: number;
  readonly p50?: number;
  readonly p95?: number;
}

export interface Group {
  readonly key: string;
  readonly samples: readonly FreshnessView[];
}

/** From the change upstream to a stage. */
export function lagsOf(samples: readonly FreshnessView[], stage: Stage): Lags {
  const values = samples.flatMap((sample) => lagOf(sample, stage) ?? []).sort((a, b) => a - b);
  if (values.length === 0) return { count: 0 };
  return { count: values.length, p50: quantile(values, 0.5), p95: quantile(values, 0.95) };
}

function lagOf(sample: FreshnessView, stage: Stage): number | undefined {
  if (sample.created === undefined) return undefined;
  const end = timeOf(sample, stage);
  const seconds = end === undefined ? Number.NaN : (Date.parse(end) - Date.parse(sample.created)) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

function timeOf(sample: FreshnessView & { readonly mergedAt?: string }, stage: Stage): string | undefined {
  if (stage === 'detected') return sample.seenAt;
  if (stage === 'started') return sample.startedAt;
  return stage === 'released' ? sample.releasedAt : sample.mergedAt;
}

/** The nearest rank: a value that was measured, never one in between. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

/** The slowest first. */
export function lagsByImage(samples: readonly FreshnessView[]): readonly Group[] {
  const slow = ({ samples: each }: Group) => lagsOf(each, 'released').p95 ?? -1;
  return groups(samples, ({ image }) => image).sort((a, b) => slow(b) - slow(a));
}

/** The oldest first. */
export function lagsByMonth(samples: readonly FreshnessView[]): readonly Group[] {
  return groups(samples, ({ releasedAt }) => releasedAt.slice(0, 7)).sort((a, b) => a.key.localeCompare(b.key));
}

function groups(samples: readonly FreshnessView[], keyOf: (sample: FreshnessView) => string): Group[] {
  return [...Map.groupBy(samples, keyOf)].map(([key, each]) => ({ key, samples: each }));
}
