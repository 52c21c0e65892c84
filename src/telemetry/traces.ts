import {
  type Context,
  context,
  type DiagLogger,
  DiagLogLevel,
  diag,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  SamplingDecision,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Run, StepRecord } from '../domain/run.ts';
import type { Redaction } from '../lib/redaction.ts';
import { endsWithin } from '../lib/within.ts';
import { traceOfRun } from './run-trace.ts';
import type { LedgerWatcher } from './watched-ledger.ts';

/** Spans of runs: one trace a run, from who asked for it to its last step. */
export interface Traces extends Required<LedgerWatcher> {
  /** What is sent to queues meanwhile belongs to the run. */
  within<T>(runId: string, work: () => Promise<T>): Promise<T>;
  /** Somebody asked for the run, through the API. */
  requested(
    runId: string,
    request: { readonly image: string; readonly startedAt: number; readonly endedAt: number },
  ): void;
  /** Sends what has not been sent. */
  close(): Promise<void>;
}

export interface TraceOptions {
  readonly version: string;
  readonly redaction: Redaction;
  /** `host pid`, to tell processes apart. */
  readonly instance: string;
  /** What could not be sent. */
  readonly onTrouble: (message: string) => void;
}

const RUN_ID = 'ingot.run.id';
/** A collector that is gone must not keep a process that is told to stop. */
const FLUSH_MS = 3_000;

/** Sends to where `OTEL_EXPORTER_OTLP_*` says (the exporter reads these itself). Load this file only when one is set. */
export function startTraces({ version, redaction, instance, onTrouble }: TraceOptions): Traces {
  diag.setLogger(troubleLogger(onTrouble), DiagLogLevel.ERROR);
  const ids = createIds();
  const provider = new TracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win
    resource: defaultResource()
      .merge(
        resourceFromAttributes({
          'service.name': 'ingot',
          'service.version': version,
          'service.instance.id': instance,
        }),
      )
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: onlyRuns }),
    idGenerator: ids,
    spanProcessors: [redacting(redaction), new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  const tracer = provider.getTracer('ingot', version);
  return {
    within: (runId, work) => context.with(contextOf(runId), work),
    requested(runId, { image, startedAt, endedAt }) {
      const attributes = { [RUN_ID]: runId, 'ingot.image': image };
      const options = { kind: SpanKind.SERVER, startTime: startedAt, attributes };
      tracer.startSpan('request rebuild', options, contextOf(runId)).end(endedAt);
    },
    step: (runId, step) => addStep(tracer, runId, step),
    ended: (run) => addRun(tracer, ids, run),
    async close() {
      await endsWithin(
        provider.shutdown().catch(() => undefined),
        FLUSH_MS,
      );
    },
  };
}

/** What is below an error is of interest to nobody here. */
function troubleLogger(onTrouble: (message: string) => void): DiagLogger {
  const quiet = () => {};
  const error = (message: string) => onTrouble(`traces are not sent: ${reasonIn(message)}`);
  return { error, warn: quiet, info: quiet, debug: quiet, verbose: quiet };
}

/** The SDK gives errors as JSON with their stack. */
function reasonIn(text: string): string {
  return /"message":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text;
}

/** BullMQ tells of every look into an empty queue: what belongs to no run is not recorded. */
const onlyRuns: Sampler = {
  shouldSample: (_context, _traceId, _name, _kind, attributes) => ({
    decision: RUN_ID in attributes ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
  }),
  toString: () => 'OnlyRuns',
};

/** Within the run, also where nothing has told this process of its trace. */
function contextOf(runId: string): Context {
  return trace.setSpanContext(ROOT_CONTEXT, { ...traceOfRun(runId), traceFlags: TraceFlags.SAMPLED, isRemote: true });
}

function addStep(tracer: Tracer, runId: string, step: StepRecord): void {
  const { name, platform, state, startedAt, endedAt, external, emulated, error } = step;
  if (endedAt === undefined) return;
  const job = trace.getSpanContext(context.active());
  const parent = job?.traceId === traceOfRun(runId).traceId ? context.active() : contextOf(runId);
  const attributes = {
    ...{ [RUN_ID]: runId, 'ingot.step': name, 'ingot.step.state': state, 'ingot.step.external': external },
    ...(platform && { 'ingot.platform': platform }),
    ...(emulated && { 'ingot.emulated': true }),
  };
  const span = tracer.startSpan(`step ${name}`, { startTime: startedAt, attributes }, parent);
  if (state === 'failed') span.setStatus({ code: SpanStatusCode.ERROR, ...(error && { message: error }) });
  span.end(endedAt);
}

/** The span that all others of the run are below of; it is only known when the run has ended. */
function addRun(tracer: Tracer, ids: Ids, run: Run): void {
  const { id, image, outcome, summary, version, startedAt, endedAt, reasons } = run;
  const attributes = {
    ...{ [RUN_ID]: id, 'ingot.image': image, 'ingot.reasons': reasons.map(({ kind }) => kind) },
    ...(outcome && { 'ingot.outcome': outcome }),
    ...(version && { 'ingot.version': version }),
  };
  const options = { root: true, startTime: Date.parse(startedAt), attributes };
  const span = ids.as(traceOfRun(id), () => tracer.startSpan(`run ${image}`, options));
  if (outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR, ...(summary && { message: summary }) });
  span.end(endedAt === undefined ? undefined : Date.parse(endedAt));
}

interface Ids {
  generateTraceId(): string;
  generateSpanId(): string;
  /** What is started meanwhile has these. */
  as<T>(given: { readonly traceId: string; readonly spanId: string }, start: () => T): T;
}

function createIds(): Ids {
  const random = new RandomIdGenerator();
  let given: { readonly traceId: string; readonly spanId: string } | undefined;
  return {
    generateTraceId: () => given?.traceId ?? random.generateTraceId(),
    generateSpanId: () => given?.spanId ?? random.generateSpanId(),
    as(ids, start) {
      given = ids;
      try {
        return start();
      } finally {
        given = undefined;
      }
    },
  };
}

/** In place, before the span is kept for sending: BullMQ puts results and errors of jobs into its spans. */
function redacting({ redact }: Redaction): SpanProcessor {
  const clean = (attributes: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === 'string') attributes[name] = redact(value);
    }
  };
  return {
    onStart() {},
    onEnd(span) {
      clean(span.attributes);
      for (const event of span.events) clean(event.attributes ?? {});
      if (span.status.message !== undefined) span.status.message = redact(span.status.message);
    },
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
}
