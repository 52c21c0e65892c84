import { once } from 'node:events';
import { type ServerType, serve } from '@hono/node-server';
import { FactoryError } from '../domain/errors.ts';

export type Fetch = Parameters<typeof serve>[0]['fetch'];

/** A port on which requests come in; which one may change while it is open. */
export interface Listener {
  /** `http://127.0.0.1:8080` */
  address(): string;
  /** What it listens on, as it was asked for. */
  listen(): string;
  /** What is under way at the place before gets a moment to end. @throws FactoryError: then it stays where it was */
  move(listen: string): Promise<void>;
  close(): Promise<void>;
}

/** What hangs on a connection that sends its request slowly. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
/** For answers under way when the server is told to stop. */
const GRACE_MS = 3_000;

const REMEDY = 'choose another with --listen, or "access: { listen }" in ingot.yaml';

/** @param listen `host:port`; port 0: any that is free. @param remedy for an address that cannot be had */
export async function openListener(fetch: Fetch, listen: string, remedy = REMEDY): Promise<Listener> {
  let server = await start(fetch, listen, remedy);
  let asked = listen;
  const ending = new Set<Promise<void>>();
  const end = () => {
    const ended = stop(server).finally(() => ending.delete(ended));
    ending.add(ended);
  };
  return {
    address: () => addressOf(server, asked),
    listen: () => asked,
    async move(next) {
      end(); // first: an address and all addresses cannot have the same port at once
      try {
        server = await start(fetch, next, remedy);
        asked = next;
      } catch (error) {
        server = await start(fetch, asked, remedy);
        throw error;
      }
    },
    async close() {
      end();
      await Promise.all(ending);
    },
  };
}

async function start(fetch: Fetch, listen: string, remedy: string): Promise<ServerType> {
  const [, hostname = '', port = ''] = /^\[?([^\]]+)\]?:(\d+)$/.exec(listen) ?? [];
  const serverOptions = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS };
  const server = serve({ fetch, hostname, port: Number(port), serverOptions });
  const failed = once(server, 'error').then(([cause]) => {
    const why = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'it is taken' : (cause as Error).message;
    throw new FactoryError(`cannot listen on ${listen}: ${why}; ${remedy}`, { code: 'configuration', cause });
  });
  // It rejects with the error itself, which says nothing of a remedy
  await Promise.race([once(server, 'listening').catch(() => failed), failed]);
  failed.catch(() => undefined);
  return server;
}

function addressOf(server: ServerType, listen: string): string {
  const found = server.address();
  const port = found === null || typeof found === 'string' ? '' : found.port;
  return `http://${listen.replace(/:\d+$/, '')}:${port}`;
}

async function stop(server: ServerType): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  if ('closeIdleConnections' in server) server.closeIdleConnections();
  const force = setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), GRACE_MS);
  await closed;
  clearTimeout(force);
}
