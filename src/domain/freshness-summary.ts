import { percentilesByImage, percentilesByMonth } from './freshness.ts';
import { explainBreach } from './freshness-breaches.ts';
import type { FreshnessView } from './service/views.ts';

/** What programs are told of freshness: breaches in words, p50 and p95, and each change. */
export function summariseFreshness({ goals, samples, breaches }: FreshnessView) {
  return {
    goals,
    breaches: breaches.map((breach) => ({ ...breach, reason: explainBreach(breach) })),
    byImage: percentilesByImage(samples),
    byMonth: percentilesByMonth(samples),
    items: samples,
  };
}
