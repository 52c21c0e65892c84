import type { ReadinessCheck } from '../api/routes/health.ts';
import { type ApiOptions, type RunningApi, startApi } from '../api/server.ts';
import { readSecret } from '../compose/hooks.ts';
import type { Config } from '../config.ts';
import { createDashboard } from '../dashboard/create-dashboard.ts';
import type { AccessSettings } from '../domain/fleet/settings-access.ts';
import type { HookSettings } from '../domain/hooks.ts';
import type { AccessStore } from '../ledger/access.ts';
import { createHttp } from '../lib/http.ts';
import type { Log } from '../lib/log.ts';
import type { HookReceiver } from '../service/hooks.ts';
import type { FactoryService } from '../service/service.ts';
import { VERSION } from '../version.ts';

export interface ServeApiOptions {
  readonly access: AccessSettings | undefined;
  readonly listen?: string | undefined;
  readonly store: AccessStore;
  readonly receiver: HookReceiver;
  readonly readiness: readonly ReadinessCheck[];
  readonly log: Log;
}

/** The API on this machine's files, proxy and authorities. */
export async function serveApi(service: FactoryService, config: Config, options: ServeApiOptions): Promise<RunningApi> {
  const { root, dataDirectory, proxy, ca } = config;
  const userAgent = `ingot/${VERSION}`;
  const http = createHttp({ connectionsPerHost: 4, userAgent, timeoutMs: 15_000, proxy, ca });
  const hooks = { ...options.receiver, secretOf: ({ secret }: HookSettings) => readSecret(secret, config) };
  const given = { root, dataDirectory, http, hooks, pages: createDashboard, ...spokenTo(options.log) };
  const api = await startApi(service, { ...options, ...given }).catch(async (error: unknown) => {
    await http.close();
    throw error;
  });
  return {
    get address() {
      return api.address;
    },
    update: api.update,
    async close() {
      await api.close();
      await http.close();
    },
  };
}

/** What the API says, as lines of the log. */
function spokenTo(log: Log): Pick<ApiOptions, 'print' | 'onTrouble' | 'onAudit' | 'onAnswer'> {
  return {
    print: log.info,
    onTrouble: log.warn,
    onAudit(entry, line) {
      if (log.format === 'text') return log.info(`audit ${line}`);
      const { who, what, on, outcome } = entry;
      log.info(`audit: ${who} ${what} ${on.join(' ')} ${outcome}`, { event: 'audit', ...entry });
    },
    onAnswer({ method, path, status, ...fields }) {
      log.detail(`${method} ${path} ${status}`, { event: 'request', method, path, status, ...fields });
    },
  };
}
