import { Hono } from 'hono';
import { FactoryError } from '../domain/errors.ts';
import { openListener } from './listener.ts';
import { type HealthDeps, healthRoutes } from './routes/health.ts';

export interface OperationsDeps extends HealthDeps {
  /** In the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
}

export interface OperationsOptions extends OperationsDeps {
  /** `host:port`, or `off`. Absent: `DEFAULT_METRICS_LISTEN`, or any free port of loopback where that is taken. */
  readonly listen?: string | undefined;
}

export interface RunningOperations {
  /** `http://127.0.0.1:9464`; absent when it is off. */
  readonly address?: string;
  close(): Promise<void>;
}

/** The port that exporters of OpenTelemetry have, too. */
export const DEFAULT_METRICS_LISTEN = '127.0.0.1:9464';
const ANY_PORT = '127.0.0.1:0';
const REMEDY = 'choose another with --metrics-listen or INGOT_METRICS_LISTEN, or turn it off with "off"';

/**
 * What machines ask a process: how it does, not what it knows. On an address of its own and without a credential, as
 * Prometheus and probes want it: who may reach that address is decided by the network.
 */
export async function startOperations({ listen, ...deps }: OperationsOptions): Promise<RunningOperations> {
  if (listen === 'off') return { close: async () => undefined };
  const { fetch } = createOperations(deps);
  const listener = await openListener(fetch, listen ?? DEFAULT_METRICS_LISTEN, REMEDY).catch((error: unknown) => {
    if (listen !== undefined || !(error instanceof FactoryError)) throw error;
    return openListener(fetch, ANY_PORT, REMEDY); // nobody asked for that one: another process has it
  });
  return { address: listener.address(), close: listener.close };
}

export function createOperations({ metrics, readiness }: OperationsDeps): Hono {
  const app = new Hono();
  app.route('/', healthRoutes({ readiness }));
  app.get('/metrics', async (c) => {
    return c.body(await metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
  app.get('/', (c) => c.text('/metrics\n/healthz\n/readyz\n'));
  return app;
}
