import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { bytesOf, numberOf, readMessage, textOf } from './protobuf.ts';

/** A span as it was sent (opentelemetry-proto, trace/v1/trace.proto). */
export interface ReceivedSpan {
  readonly service: string;
  readonly instance: string;
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentId: string;
  readonly name: string;
  /** 1 internal, 2 server, 4 producer, 5 consumer. */
  readonly kind: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** 2: an error. */
  readonly status: number;
}

/** Takes traces as a collector does: OTLP over HTTP, in protobuf. */
export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Headers and bodies as they came. */
  readonly raw: { readonly headers: IncomingMessage['headers']; readonly body: Buffer }[];
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const raw: OtlpReceiver['raw'] = [];
  const server = createServer(async (request, response) => {
    const chunks = (await request.toArray()) as Buffer[];
    const sent = Buffer.concat(chunks);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    raw.push({ headers: request.headers, body });
    const isTraces = request.url === '/v1/traces' && request.headers['content-type'] === 'application/x-protobuf';
    if (isTraces) spans.push(...readRequest(body));
    response.writeHead(isTraces ? 200 : 415, { 'content-type': 'application/x-protobuf' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    ...{ spans, raw, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function readRequest(body: Uint8Array): readonly ReceivedSpan[] {
  return bytesOf(readMessage(body), 1).flatMap((resourceSpans) => {
    const fields = readMessage(resourceSpans);
    const resource = attributesOf(readMessage(bytesOf(fields, 1)[0]!), 1);
    return bytesOf(fields, 2).flatMap((scopeSpans) => {
      const scoped = readMessage(scopeSpans);
      const scope = textOf(readMessage(bytesOf(scoped, 1)[0]!), 1);
      const about = { service: `${resource['service.name']}`, instance: `${resource['service.instance.id']}`, scope };
      return bytesOf(scoped, 2).map((span) => ({ ...about, ...readSpan(span) }));
    });
  });
}

function readSpan(bytes: Uint8Array): Omit<ReceivedSpan, 'service' | 'instance' | 'scope'> {
  const fields = readMessage(bytes);
  const hex = (number: number) => Buffer.from(bytesOf(fields, number)[0] ?? []).toString('hex');
  const time = (number: number) => Number(numberOf(fields, number) / 1_000_000n);
  return {
    ...{ traceId: hex(1), spanId: hex(2), parentId: hex(4), name: textOf(fields, 5) },
    ...{ kind: Number(numberOf(fields, 6)), startedAt: time(7), endedAt: time(8) },
    attributes: attributesOf(fields, 9),
    status: Number(numberOf(readMessage(bytesOf(fields, 15)[0] ?? new Uint8Array()), 3)),
  };
}

function attributesOf(fields: ReturnType<typeof readMessage>, number: number) {
  return Object.fromEntries(
    bytesOf(fields, number).map((pair) => {
      const [key, value] = [textOf(readMessage(pair), 1), readMessage(bytesOf(readMessage(pair), 2)[0]!)];
      const [first] = value;
      if (first?.number === 2) return [key, first.value === 1n];
      return [key, typeof first?.value === 'bigint' ? Number(first.value) : textOf(value, 1)];
    }),
  );
}
