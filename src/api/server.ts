import { once } from 'node:events';
import { resolve } from 'node:path';
import { type ServerType, serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Hono } from 'hono';
import { createAuditLog } from '../access/audit.ts';
import { type AuditReader, createAuditReader } from '../access/audit-reader.ts';
import { createLimiter } from '../access/limiter.ts';
import { createLoginCodes } from '../access/login-codes.ts';
import { createIdentities } from '../access/oidc.ts';
import { accessPaths } from '../access/paths.ts';
import { createSessions } from '../access/sessions.ts';
import { createTokenStore } from '../access/tokens.ts';
import { FactoryError } from '../domain/errors.ts';
import { Access, type AccessSettings } from '../domain/fleet/settings-access.ts';
import type { Http } from '../lib/http.ts';
import type { FactoryService } from '../service/service.ts';
import { createAddressReader } from './address.ts';
import { type ApiDeps, createApi } from './app.ts';
import type { ApiContext, ApiEnv } from './operation.ts';
import type { HealthDeps } from './routes/health.ts';
import type { HookDeps } from './routes/hooks.ts';

/** What pages are made with. */
export interface PageParts extends Omit<ApiDeps, 'pages' | 'signal'> {
  readonly readAudit: AuditReader;
}

export interface ApiOptions {
  /** Pages for people beside the API. */
  readonly pages?: ((parts: PageParts) => Hono<ApiEnv>) | undefined;
  /** As ingot.yaml says; absent: loopback only, and a link for the first admin. */
  readonly access?: AccessSettings | undefined;
  /** In place of the address there. Port 0: any that is free. */
  readonly listen?: string | undefined;
  /** Folders of ingot.yaml and of this machine's own files. */
  readonly root: string;
  readonly dataDirectory: string;
  /** To ask issuers of identities for their keys. */
  readonly http: Http;
  readonly hooks?: HookDeps['hooks'];
  /** What this process cannot work without. */
  readonly readiness?: HealthDeps['readiness'];
  /** What the service says on stdout: links, and lines of the audit log. */
  readonly print: (line: string) => void;
  readonly onTrouble: (message: string) => void;
}

export interface RunningApi {
  /** `http://127.0.0.1:8080` */
  readonly address: string;
  close(): Promise<void>;
}

/** What hangs on a connection that sends its request slowly. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
/** For answers under way when the server is told to stop. */
const GRACE_MS = 3_000;
/** Of the requests of one address, one in so many may bring a credential that does not hold. */
const FAILURES_IN = 10;
const ANY_PORT = '127.0.0.1:0';

/** Serves the API until it is closed. */
export async function startApi(service: FactoryService, options: ApiOptions): Promise<RunningApi> {
  const settings = options.access ?? Access.parse({});
  const stopping = new AbortController();
  const { api, codes } = await assemble(service, settings, { ...options, signal: stopping.signal });
  const listen = options.listen ?? settings.listen;
  const server = await start(api.fetch, listen).catch((error: unknown) => {
    if (options.access !== undefined || options.listen !== undefined) throw error;
    return start(api.fetch, ANY_PORT); // nobody asked for that one
  });
  const address = addressOf(server, listen);
  options.print(`listening on ${address}`);
  // The one secret that is printed: it opens one session, within minutes, from this machine
  if (options.access === undefined) options.print(`sign in once as admin: ${address}/login?code=${codes.issue()}`);
  return {
    address,
    async close() {
      stopping.abort();
      await stop(server);
    },
  };
}

async function assemble(
  service: FactoryService,
  { url, proxies, requestsPerMinute, issuers, tokens: folder }: AccessSettings,
  {
    root,
    dataDirectory,
    http,
    hooks,
    readiness,
    print,
    onTrouble,
    pages,
    signal,
  }: ApiOptions & { readonly signal: AbortSignal },
) {
  const paths = accessPaths(dataDirectory);
  const now = () => Date.now();
  const tokens = createTokenStore({ directory: folder === undefined ? paths.tokens : resolve(root, folder) });
  const sessions = await createSessions({ directory: paths.directory, holds: tokens.holds });
  const codes = createLoginCodes();
  const isSecure = url?.startsWith('https:') ?? false;
  const readAddress = createAddressReader(proxies);
  const parts = {
    ...{ service, tokens, sessions, codes, isSecure, hooks, readiness, onTrouble },
    identities: createIdentities(() => issuers, { http }),
    audit: createAuditLog({ path: paths.audit, print }),
    requests: createLimiter({ perMinute: requestsPerMinute, now }),
    failures: createLimiter({ perMinute: Math.ceil(requestsPerMinute / FAILURES_IN), now }),
    origin: (c: ApiContext) => url ?? `http://${c.req.header('host')}`,
    cookie: isSecure ? '__Host-ingot_session' : 'ingot_session',
    from: (c: ApiContext) => readAddress(getConnInfo(c).remote.address, c.req.header('x-forwarded-for')),
  };
  const readAudit = createAuditReader(paths.audit);
  return { api: createApi({ ...parts, signal, pages: pages?.({ ...parts, readAudit }) }), codes };
}

async function start(fetch: Parameters<typeof serve>[0]['fetch'], listen: string): Promise<ServerType> {
  const [, hostname = '', port = ''] = /^\[?([^\]]+)\]?:(\d+)$/.exec(listen) ?? [];
  const serverOptions = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS };
  const server = serve({ fetch, hostname, port: Number(port), serverOptions });
  const failed = once(server, 'error').then(([cause]) => {
    const remedy = 'choose another with --listen, or "access: { listen }" in ingot.yaml';
    const why = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'it is taken' : (cause as Error).message;
    throw new FactoryError(`cannot listen on ${listen}: ${why}; ${remedy}`, { code: 'configuration', cause });
  });
  await Promise.race([once(server, 'listening'), failed]);
  failed.catch(() => undefined);
  return server;
}

function addressOf(server: ServerType, listen: string): string {
  const found = server.address();
  const port = found === null || typeof found === 'string' ? '' : found.port;
  return `http://${listen.replace(/:\d+$/, '')}:${port}`;
}

async function stop(server: ServerType): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  if ('closeIdleConnections' in server) server.closeIdleConnections();
  const force = setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), GRACE_MS);
  await closed;
  clearTimeout(force);
}
