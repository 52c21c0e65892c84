import type { ReadinessCheck } from '../api/routes/health.ts';
import { type RunningApi, startApi } from '../api/server.ts';
import { readSecret } from '../compose/hooks.ts';
import type { Config } from '../config.ts';
import { createDashboard } from '../dashboard/create-dashboard.ts';
import type { AccessSettings } from '../domain/fleet/settings-access.ts';
import type { HookSettings } from '../domain/hooks.ts';
import type { AccessStore } from '../ledger/access.ts';
import { createHttp } from '../lib/http.ts';
import type { HookReceiver } from '../service/hooks.ts';
import type { FactoryService } from '../service/service.ts';
import { VERSION } from '../version.ts';

export interface ServeApiOptions {
  readonly access: AccessSettings | undefined;
  readonly listen?: string | undefined;
  readonly store: AccessStore;
  readonly receiver: HookReceiver;
  readonly readiness: readonly ReadinessCheck[];
  readonly print: (line: string) => void;
  readonly onTrouble: (message: string) => void;
}

/** The API on this machine's files, proxy and authorities. */
export async function serveApi(service: FactoryService, config: Config, options: ServeApiOptions): Promise<RunningApi> {
  const { root, dataDirectory, proxy, ca } = config;
  const userAgent = `ingot/${VERSION}`;
  const http = createHttp({ connectionsPerHost: 4, userAgent, timeoutMs: 15_000, proxy, ca });
  const hooks = { ...options.receiver, secretOf: ({ secret }: HookSettings) => readSecret(secret, config) };
  const given = { root, dataDirectory, http, hooks, pages: createDashboard };
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
