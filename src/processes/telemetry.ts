import { hostname } from 'node:os';
import type { Config } from '../config.ts';
import type { Log } from '../lib/log.ts';
import type { QueueTracing } from '../queue/tracing.ts';
import { createTelemetry, type Telemetry } from '../telemetry/create-telemetry.ts';
import { createProcessMetrics, type ProcessMetrics } from '../telemetry/metrics.ts';
import { VERSION } from '../version.ts';

/** What a process that keeps running says of itself. */
export interface ProcessTelemetry {
  readonly metrics: ProcessMetrics;
  readonly telemetry: Telemetry;
  /** Absent where no traces are sent. */
  readonly queueTracing: QueueTracing | undefined;
  /** Sends what has not been sent. */
  close(): Promise<void>;
}

export async function startTelemetry(config: Config, log: Log): Promise<ProcessTelemetry> {
  const { dataDirectory } = config;
  const metrics = createProcessMetrics({ version: VERSION, dataDirectory });
  const tracing = config.traces ? await startTracing(config, log) : undefined;
  return {
    metrics,
    telemetry: createTelemetry({ metrics, log, traces: tracing?.traces, now: Date.now }),
    queueTracing: tracing?.queueTracing,
    close: async () => tracing?.traces.close(),
  };
}

/** Loaded where it is wanted: OpenTelemetry takes a moment to start. */
async function startTracing({ redaction }: Config, log: Log) {
  const [{ startTraces }, { createQueueTracing }] = await Promise.all([
    import('../telemetry/traces.ts'),
    import('../queue/tracing.ts'),
  ]);
  const instance = `${hostname()} ${process.pid}`;
  const traces = startTraces({ version: VERSION, redaction, instance, onTrouble: log.warn });
  return { traces, queueTracing: createQueueTracing() };
}
