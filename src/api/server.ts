import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Hono } from 'hono';
import { type AuditEntry, createAuditLog } from '../access/audit.ts';
import { type AuditReader, createAuditReader } from '../access/audit-reader.ts';
import { createLimiter } from '../access/limiter.ts';
import { createLoginCodes, NO_CODES } from '../access/login-codes.ts';
import { createIdentities } from '../access/oidc.ts';
import { accessPaths } from '../access/paths.ts';
import { createSessions } from '../access/sessions.ts';
import { createTokenStore } from '../access/tokens.ts';
import { FactoryError } from '../domain/errors.ts';
import { Access, type AccessSettings, isLoopback, ListenAddress } from '../domain/fleet/settings-access.ts';
import type { AccessStore } from '../ledger/access.ts';
import type { Http } from '../lib/http.ts';
import type { FactoryService } from '../service/service.ts';
import { createAddressReader } from './address.ts';
import { type ApiDeps, createApi } from './app.ts';
import { type Fetch, openListener } from './listener.ts';
import type { ApiContext, ApiEnv } from './operation.ts';
import type { LoginDeps } from './pages/login.ts';
import type { HealthDeps } from './routes/health.ts';
import type { HookDeps } from './routes/hooks.ts';

/** What pages are made with. */
export interface PageParts extends Omit<ApiDeps, 'pages' | 'signal' | 'heartbeatMs'> {
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
  /** What all processes that serve this fleet share. */
  readonly store: AccessStore;
  /** To ask issuers of identities for their keys. */
  readonly http: Http;
  readonly hooks?: HookDeps['hooks'];
  readonly heartbeatMs?: number;
  /** What this process cannot work without. */
  readonly readiness?: HealthDeps['readiness'];
  /** What the service says on stdout: links, and lines of the audit log. */
  readonly print: (line: string) => void;
  /** The latter in another form. Default: `audit`, and the line of JSON. */
  readonly onAudit?: ((entry: AuditEntry, line: string) => void) | undefined;
  readonly onTrouble: ApiDeps['onTrouble'];
  readonly onAnswer?: ApiDeps['onAnswer'];
}

export interface RunningApi {
  /** `http://127.0.0.1:8080` */
  readonly address: string;
  /** Goes on by these settings; nobody who is signed in notices. */
  update(access: AccessSettings | undefined): Promise<void>;
  close(): Promise<void>;
}

/** Of the requests of one address, one in so many may bring a credential that does not hold. */
const FAILURES_IN = 10;
const ANY_PORT = '127.0.0.1:0';
const UNCONFIGURED = Access.parse({});

/** Serves the API until it is closed. */
export async function startApi(service: FactoryService, options: ApiOptions): Promise<RunningApi> {
  const { print, onTrouble } = options;
  const stopping = new AbortController();
  const codes = createLoginCodes(options.store);
  const make = (access: AccessSettings | undefined) => {
    const given = { ...options, codes: access === undefined ? codes : NO_CODES, signal: stopping.signal };
    return { access, api: assemble(service, access ?? UNCONFIGURED, given) };
  };
  let current = make(options.access);
  const fetch: Fetch = (request, env) => current.api.fetch(request, env);
  const wanted = () => options.listen ?? (current.access ?? UNCONFIGURED).listen;
  const code = options.access === undefined ? await codes.issue() : undefined;
  let listened = requireListen(wanted(), options.access);
  const listener = await openListener(fetch, listened).catch((error: unknown) => {
    if (options.access !== undefined || options.listen !== undefined) throw error;
    return openListener(fetch, ANY_PORT); // nobody asked for that one
  });
  print(`listening on ${listener.address()}`);
  // The one secret that is printed: it opens one session, within minutes, from this machine
  if (code !== undefined) print(`sign in once as admin: ${listener.address()}/login?code=${code}`);
  return {
    get address() {
      return listener.address();
    },
    async update(access) {
      if (options.listen !== undefined && unfit(options.listen, access) !== undefined) {
        return onTrouble(`"access" is not taken over: ${unfit(options.listen, access)}`);
      }
      if (!isDeepStrictEqual(access, current.access)) current = make(access);
      if (wanted() === listened || stopping.signal.aborted) return;
      try {
        await listener.move(wanted());
        listened = wanted();
        print(`listening on ${listener.address()}`);
      } catch (error) {
        onTrouble(`${(error as Error).message}; it is tried again when definitions are read again`);
      }
    },
    async close() {
      stopping.abort();
      await listener.close();
    },
  };
}

/** The flag has to fit as ingot.yaml has to. */
function requireListen(listen: string, access: AccessSettings | undefined): string {
  const why = unfit(listen, access);
  if (why !== undefined) throw new FactoryError(why, { code: 'configuration' });
  return listen;
}

function unfit(listen: string, access: AccessSettings | undefined): string | undefined {
  const { success, error } = ListenAddress.safeParse(listen);
  if (!success) return `--listen ${listen} ${error.issues[0]!.message}`;
  if (isLoopback(listen) || access?.url !== undefined) return undefined;
  return `--listen ${listen} is open to others; write "access: { url: https://… }" into ingot.yaml, the address they use`;
}

interface AssembleOptions extends ApiOptions {
  readonly codes: LoginDeps['codes'];
  readonly signal: AbortSignal;
}

function assemble(
  service: FactoryService,
  { url, proxies, requestsPerMinute, issuers, tokens: folder }: AccessSettings,
  { root, dataDirectory, store, codes, http, print, onAudit, pages, signal, ...options }: AssembleOptions,
) {
  const { hooks, readiness, onTrouble, onAnswer, heartbeatMs } = options;
  const printAudit = (entry: AuditEntry, line: string) => (onAudit ? onAudit(entry, line) : print(`audit ${line}`));
  const paths = accessPaths(dataDirectory);
  const now = () => Date.now();
  const tokens = createTokenStore({ directory: folder === undefined ? paths.tokens : resolve(root, folder) });
  const isSecure = url?.startsWith('https:') ?? false;
  const readAddress = createAddressReader(proxies);
  const failuresPerMinute = Math.ceil(requestsPerMinute / FAILURES_IN);
  const parts = {
    ...{ service, tokens, codes, isSecure, hooks, readiness, onTrouble, onAnswer, heartbeatMs },
    sessions: createSessions({ store, holds: tokens.holds }),
    identities: createIdentities(() => issuers, { http }),
    audit: createAuditLog({ path: paths.audit, print: (line, entry) => printAudit(entry, line) }),
    requests: createLimiter({ bucket: 'requests', perMinute: requestsPerMinute, store, now }),
    failures: createLimiter({ bucket: 'failures', perMinute: failuresPerMinute, store, now }),
    origin: (c: ApiContext) => url ?? `http://${c.req.header('host')}`,
    cookie: isSecure ? '__Host-ingot_session' : 'ingot_session',
    from: (c: ApiContext) => readAddress(getConnInfo(c).remote.address, c.req.header('x-forwarded-for')),
  };
  const readAudit = createAuditReader(paths.audit);
  return createApi({ ...parts, signal, pages: pages?.({ ...parts, readAudit }) });
}
