import { createNotifier } from '../compose/notify.ts';
import type { Config } from '../config.ts';
import type { Fleet } from '../domain/fleet/model.ts';
import { runningBreaches } from '../domain/freshness-breaches.ts';
import type { ProblemFacts } from '../domain/problems.ts';
import { readFreshness } from '../flows/freshness-report.ts';
import { createHttp } from '../lib/http.ts';
import { endsWithin } from '../lib/within.ts';
import { createNotifierRounds } from '../service/notifier.ts';
import { stuckPulls } from '../service/stuck-pulls.ts';
import { VERSION } from '../version.ts';
import { every } from './every.ts';
import type { Host } from './host.ts';

const ROUND_MS = 10_000;
const ROUND_END_MS = 5_000;
type Pulls = ProblemFacts['pulls'];

/** Forges are asked so often at most. */
const PULLS_MS = 15 * 60_000;

/** Tells people, beside any number of processes that do so. */
export function startNotifier(
  host: Host,
  config: Config,
  { onTrouble }: { onTrouble: (message: string) => void },
): { stop(): Promise<void> } {
  const { store, ledger, freshness, notifications } = host;
  const { proxy, ca } = config;
  const userAgent = `ingot/${VERSION}`;
  const http = createHttp({ connectionsPerHost: 2, userAgent, timeoutMs: 15_000, proxy, ca });
  const withApp = async <T>(use: Parameters<typeof host.withApp<T>>[1]) => {
    const pointer = await store.definitions();
    return pointer === undefined ? undefined : host.withApp(pointer.digest, use);
  };
  let known: Pulls;
  let askedAt = 0;
  const ask = () =>
    withApp(async ({ downstreams, fleet }) => stuckPulls(await downstreams.list(), fleet.settings.notify, Date.now()));
  // Forges take their time: what they say is there for a later round
  const pulls = async () => {
    if (Date.now() - askedAt > PULLS_MS) {
      askedAt = Date.now();
      const keep = (found: Pulls) => {
        known = found;
      };
      void ask().then(keep, (error: Error) => onTrouble(error.message));
    }
    return known;
  };
  const breaches = async (fleet: Fleet) => {
    if (Object.keys(fleet.settings.freshness).length === 0) return [];
    const deps = { fleet, ledger, freshness, plan: () => store.plan(), now: new Date() };
    return runningBreaches((await readFreshness({ open: true }, deps)).breaches);
  };
  const rounds = createNotifierRounds({
    ...{ notifications, store, ledger, pulls, onTrouble },
    freshness: breaches,
    withFleet: async (use) => (await withApp(({ fleet }) => use(fleet)))!,
    notifierOf: (channel) => createNotifier(channel, config, http),
    now: () => Date.now(),
  });
  const timer = every(ROUND_MS, rounds.round, onTrouble);
  return {
    async stop() {
      clearInterval(timer);
      await endsWithin(rounds.stop(), ROUND_END_MS); // one that waits for Redis may wait for ever
      await http.close();
    },
  };
}
