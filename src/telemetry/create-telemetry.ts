import type { Ledger } from '../ledger/ledger.ts';
import type { EventToTell, ServiceStore } from '../ledger/store.ts';
import type { Log } from '../lib/log.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import type { FactoryService } from '../service/service.ts';
import type { Attestor } from '../signer/signer.ts';
import { logEvent } from './event-log.ts';
import type { ProcessMetrics } from './metrics.ts';
import { countRuns } from './run-metrics.ts';
import type { Traces } from './traces.ts';
import { watchAttestor } from './watched-attestor.ts';
import type { LedgerWatcher } from './watched-ledger.ts';
import { watchLedger } from './watched-ledger.ts';

/** Looks on at a process: each part is given back as it was, and what it does is counted, logged and traced. */
export interface Telemetry {
  ledger<T extends Ledger>(ledger: T): T;
  attestor<T extends Attestor>(attestor: T): T;
  store(store: ServiceStore): ServiceStore;
  runs(runs: RunQueue): RunQueue;
  service(service: FactoryService): FactoryService;
  onRequest(event: RequestSeen): void;
  onJobFailed(queue: string): void;
}

/** A request to a registry; see `RequestEvent`. */
export interface RequestSeen {
  readonly host: string;
  readonly method: string;
  readonly kind: string;
  readonly status?: number;
}

export interface TelemetryParts {
  readonly metrics: ProcessMetrics;
  readonly log: Log;
  readonly traces: Traces | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createTelemetry({ metrics, log, traces, now }: TelemetryParts): Telemetry {
  const watchers: readonly LedgerWatcher[] = [countRuns(metrics), ...(traces === undefined ? [] : [traces])];
  return {
    ledger: (ledger) => watchLedger(ledger, watchers),
    attestor: (attestor) => watchAttestor(attestor, metrics),
    store: (store) => ({
      ...store,
      async tell(event: EventToTell) {
        logEvent(event, log, { traced: traces !== undefined }); // first: it has happened, whether Redis hears of it or not
        await store.tell(event);
      },
    }),
    runs: (runs) => (traces === undefined ? runs : tracedRuns(runs, traces)),
    service: (service) => (traces === undefined ? service : tracedService(service, traces, now)),
    onRequest({ host, method, kind, status }) {
      metrics.registryRequests.inc({ registry: host, method, kind, status: status ?? 'none' });
    },
    onJobFailed: (queue) => metrics.jobsFailed.inc({ queue }),
  };
}

function tracedRuns(runs: RunQueue, traces: Traces): RunQueue {
  return { ...runs, start: (run) => traces.within(run.runId, () => runs.start(run)) };
}

/** Who asks for a run begins its trace. */
function tracedService(service: FactoryService, traces: Traces, now: () => number): FactoryService {
  const traced = <A extends readonly unknown[], R>(
    ask: (...args: A) => Promise<R>,
    runsOf: (answer: R) => readonly { readonly id: string; readonly image: string }[],
  ) => {
    return async (...args: A): Promise<R> => {
      const startedAt = now();
      const answer = await ask(...args);
      for (const { id, image } of runsOf(answer)) traces.requested(id, { image, startedAt, endedAt: now() });
      return answer;
    };
  };
  return {
    ...service,
    startRebuild: traced(service.startRebuild, ({ runs }) => runs),
    retryRun: traced(service.retryRun, (run) => [run]),
  };
}
