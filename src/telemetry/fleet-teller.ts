import { LATE, within } from '../lib/within.ts';
import { type FleetFacts, type FleetSources, readFleetFacts } from './fleet-facts.ts';
import { fleetMetrics } from './fleet-metrics.ts';

export interface TellerOptions {
  readonly sources: FleetSources;
  /** Whether this process is the one that tells. @throws when that cannot be asked */
  readonly isTeller: () => Promise<boolean>;
  /** Milliseconds that a scrape waits for what is asked at most. */
  readonly waitMs: number;
  /** Milliseconds in which an answer is given again. */
  readonly keepMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * What is told of the whole fleet. Of any number of processes one tells it, so that a sum over processes is right: the
 * first that is scraped, for as long as it is. Where that cannot be asked, each says that nothing can be read.
 */
export function createFleetTeller(options: TellerOptions): () => Promise<string> {
  let reading: Promise<FleetFacts | undefined> | undefined;
  let kept: { readonly at: number; readonly facts: FleetFacts } | undefined;
  const read = () => {
    // One that waits for Redis is waited for, and none begun beside it
    reading ??= readFleetFacts(options.sources)
      .then(
        (facts) => {
          kept = { at: options.now(), facts };
          return facts;
        },
        () => undefined,
      )
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  return async () => {
    const isTeller = await within(options.isTeller(), options.waitMs).catch(() => LATE);
    if (isTeller === LATE) return fleetMetrics(undefined);
    if (!isTeller) return '';
    if (kept !== undefined && options.now() - kept.at < options.keepMs) return fleetMetrics(kept.facts);
    const facts = await within(read(), options.waitMs);
    return fleetMetrics(facts === LATE ? undefined : facts);
  };
}
