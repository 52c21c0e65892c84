import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to a request in place of its answer, or to the answer. */
export interface Fault {
  /** Which requests; default all. */
  readonly on?: (asked: { readonly method: string; readonly path: string }) => boolean;
  /** How many of them; default all. */
  readonly times?: number;
  /** Answered by the proxy alone. */
  readonly answer?: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  /** The connection breaks: before anything is answered, or in the middle of the body. */
  readonly reset?: 'at-once' | 'in-body';
  /** Rewrites what is asked. */
  readonly forward?: (path: string) => string;
  /** Headers of the answer that are left out. */
  readonly drop?: readonly string[];
  /** Rewrites headers of the answer. */
  readonly rewrite?: (
    headers: Record<string, string | string[] | undefined>,
  ) => Record<string, string | string[] | undefined>;
  /** Done before the answer goes back: what another client did meanwhile. */
  readonly before?: () => Promise<void>;
}

export interface FaultyProxy {
  readonly address: string;
  /** All requests, as `METHOD /path?query`. */
  readonly asked: readonly string[];
  /** Headers of all requests, in order. */
  readonly headers: readonly IncomingMessage['headers'][];
  /** Faults are tried in order; the first that fits happens. */
  inject(...faults: Fault[]): void;
  /** Answers truly again, and forgets what was asked. */
  reset(): void;
  stop(): Promise<void>;
}

/** A reverse proxy before a registry, with trouble on demand. */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  const asked: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  let faults: { fault: Fault; left: number }[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = '', url: path = '' } = incoming;
    asked.push(`${method} ${path}`);
    headers.push(incoming.headers);
    const found = faults.find(({ fault, left }) => left > 0 && (fault.on?.({ method, path }) ?? true));
    if (found !== undefined) found.left--;
    void serve(incoming, outgoing, { target, fault: found?.fault ?? {} });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    headers,
    inject: (...added) => {
      faults = added.map((fault) => ({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }));
    },
    reset() {
      faults = [];
      asked.length = 0;
      headers.length = 0;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface Serving {
  readonly target: string;
  readonly fault: Fault;
}

async function serve(incoming: IncomingMessage, outgoing: ServerResponse, { target, fault }: Serving): Promise<void> {
  if (fault.reset === 'at-once') return void incoming.socket.resetAndDestroy();
  if (fault.answer !== undefined) {
    incoming.resume();
    outgoing.writeHead(fault.answer.status, fault.answer.headers ?? {});
    return void outgoing.end(incoming.method === 'HEAD' ? undefined : fault.answer.body);
  }
  const { method, url = '', headers } = incoming;
  const [host, port] = target.split(':');
  const onward = request({ host, port, method, path: fault.forward?.(url) ?? url, headers, agent: false });
  onward.on('error', () => incoming.socket.destroy());
  incoming.pipe(onward);
  const [answer] = (await once(onward, 'response')) as [IncomingMessage];
  await fault.before?.();
  const kept = Object.entries(answer.headers).filter(([name]) => !fault.drop?.includes(name));
  outgoing.writeHead(answer.statusCode ?? 502, fault.rewrite?.(Object.fromEntries(kept)) ?? Object.fromEntries(kept));
  if (fault.reset !== 'in-body') return void answer.pipe(outgoing);
  outgoing.flushHeaders();
  answer.once('data', (chunk: Buffer) => {
    outgoing.write(chunk.subarray(0, 1), () => incoming.socket.resetAndDestroy());
  });
}
