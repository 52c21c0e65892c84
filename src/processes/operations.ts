import { hostname } from 'node:os';
import { ulid } from 'ulid';
import { type RunningOperations, startOperations } from '../api/operations.ts';
import type { ReadinessCheck } from '../api/routes/health.ts';
import type { Config } from '../config.ts';
import { createLease } from '../ledger/lease.ts';
import type { Log } from '../lib/log.ts';
import { endsWithin } from '../lib/within.ts';
import { redisOptions } from '../queue/connection.ts';
import type { FactoryService } from '../service/service.ts';
import { createFleetTeller } from '../telemetry/fleet-teller.ts';
import type { Host } from './host.ts';
import type { ProcessTelemetry } from './telemetry.ts';

export interface OperationsParts {
  readonly config: Config;
  readonly options: { readonly metricsListen?: string | undefined; readonly log: Log };
  readonly readiness: readonly ReadinessCheck[];
  readonly host: Host;
  /** Of a process that plans: it tells of the whole fleet, too. */
  readonly service?: FactoryService;
}

/** Below the ten seconds that Prometheus waits by default. */
const WAIT_MS = 5_000;
const KEEP_MS = 5_000;
/** Of one that is not scraped any more; scrapes are a minute apart by default. */
const LEASE_MS = 150_000;
const RELEASE_MS = 1_000;

/** Metrics and health of a process, on an address of their own. */
export async function serveOperations(
  { metrics }: Pick<ProcessTelemetry, 'metrics'>,
  { config, options, readiness, host, service }: OperationsParts,
): Promise<RunningOperations> {
  const teller = service === undefined ? undefined : createTeller(host, service);
  const texts = async () => [await metrics.registry.metrics(), await teller?.text()].filter(Boolean).join('\n');
  const listen = options.metricsListen ?? config.metricsListen;
  try {
    const operations = await startOperations({ metrics: texts, readiness, listen });
    const { address } = operations;
    if (address !== undefined) options.log.info(`metrics at ${address}/metrics`);
    return {
      ...operations,
      async close() {
        await Promise.all([operations.close(), teller?.close()]);
      },
    };
  } catch (error) {
    await teller?.close();
    throw error;
  }
}

function createTeller({ queue, store }: Host, service: FactoryService) {
  const id = `${hostname()} ${process.pid} ${ulid()}`;
  const { prefix, redis } = queue;
  const lease = createLease({ connection: redisOptions(redis), prefix, name: 'fleet-metrics', id, ttlMs: LEASE_MS });
  const text = createFleetTeller({
    sources: { service, lastPlan: () => store.plan() },
    isTeller: lease.hold,
    waitMs: WAIT_MS,
    keepMs: KEEP_MS,
    now: Date.now,
  });
  return {
    text,
    async close() {
      await endsWithin(lease.release(), RELEASE_MS);
      await lease.close();
    },
  };
}
