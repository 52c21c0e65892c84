import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { accessPaths } from '../../src/access/paths.ts';
import { createTokenStore } from '../../src/access/tokens.ts';
import { startApi } from '../../src/api/server.ts';
import { createDashboard } from '../../src/dashboard/create-dashboard.ts';
import type { AccessRole } from '../../src/domain/access/principal.ts';
import { Access } from '../../src/domain/fleet/settings-access.ts';
import { parseBase, placesBelow } from '../../src/domain/places.ts';
import { createRedisLedger } from '../../src/ledger/redis.ts';
import { createRedisAccess } from '../../src/ledger/redis-access.ts';
import { createRedisFreshness } from '../../src/ledger/redis-freshness.ts';
import { createRedisHooks } from '../../src/ledger/redis-hooks.ts';
import { createRedisNotifications } from '../../src/ledger/redis-notifications.ts';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import type { ServiceStore } from '../../src/ledger/store.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createRunQueue } from '../../src/queue/bullmq-runs.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { nextTimes } from '../../src/queue/cron.ts';
import { createService } from '../../src/service/create-service.ts';
import type { FactoryParts } from '../../src/service/parts.ts';
import { type SceneData, sceneData, writeScene, writeWorkers } from './dashboard-data.ts';
import { startRedis } from './redis.ts';

/** The pages on a real Redis that holds a fleet's history; there is no registry behind it. */
export interface DashboardScene {
  readonly server: string;
  readonly store: ServiceStore;
  readonly data: SceneData;
  readonly troubles: string[];
  /** @returns the value of the header `cookie` of somebody who has signed in */
  signIn(role: AccessRole, images?: readonly string[]): Promise<string>;
  get(
    path: string,
    cookie?: string,
  ): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers }>;
  stop(): Promise<void>;
}

export async function startDashboardScene(options: {
  readonly images: number;
  readonly runs: number;
}): Promise<DashboardScene> {
  const [redis, dataDirectory] = await Promise.all([startRedis(), mkdtemp(join(tmpdir(), 'ingot-dash-'))]);
  const connection = redisOptions({ url: redis.url });
  const store = createRedisStore({ connection, prefix: 'test', fleet: 'acme', now: Date.now });
  const ledger = createRedisLedger({ connection, prefix: 'test' });
  const freshness = createRedisFreshness({ connection, prefix: 'test', now: Date.now });
  const hooks = createRedisHooks({ connection, prefix: 'test' });
  const access = createRedisAccess({ connection, prefix: 'test', now: Date.now });
  const notifications = createRedisNotifications({ connection, prefix: 'test' });
  const runs = createRunQueue({ redis: { url: redis.url }, prefix: 'test', onError: () => {} });
  const data = sceneData(options, new Date());
  await writeScene(data, { store, ledger, freshness });
  const beat = () => writeWorkers(data.runs, new Date(), store);
  await beat();
  const beats = setInterval(() => void beat().catch(() => undefined), 10_000);
  const places = placesBelow(parseBase('registry.acme.example/golden'));
  const factory = {
    fleet: data.fleet,
    ledger,
    places,
    downstreams: { list: async () => data.downstreams },
    cycle: { sourceOf: (each: unknown) => each },
  };
  const service = createService({
    ...{ store, ledger, freshness, hooks, notifications, runs, nextTimes },
    withFactory: (use) => use(factory as unknown as FactoryParts),
    reload: async () => {},
    budgets: async () => data.budgets,
    newRunId: () => `01KB${String(Math.floor(Math.random() * 1e9)).padStart(22, '0')}`,
    now: () => new Date(),
    sleep: (ms, signal) => wait(ms, undefined, { signal }),
  });
  const http = createHttp({ connectionsPerHost: 4, userAgent: 'ingot-test', timeoutMs: 10_000 });
  const troubles: string[] = [];
  const api = await startApi(service, {
    ...{ root: dataDirectory, dataDirectory, store: access, http, listen: '127.0.0.1:0', pages: createDashboard },
    access: Access.parse({ requestsPerMinute: 100_000 }),
    print: () => {},
    onTrouble: (message) => void troubles.push(message),
  });
  const tokens = createTokenStore({ directory: accessPaths(dataDirectory).tokens });
  const expiresAt = new Date(Date.now() + 3600_000).toISOString();
  return {
    ...{ server: api.address, store, data, troubles },
    async signIn(role, images = ['*']) {
      const { token } = await tokens.create({
        name: `${role} ${images.join(' ')}`,
        role,
        images: [...images],
        expiresAt,
        createdBy: 'test',
      });
      const answer = await fetch(`${api.address}/login`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ token }),
      });
      return answer.headers.get('set-cookie')!.split(';')[0]!;
    },
    async get(path, cookie) {
      const answer = await fetch(api.address + path, { redirect: 'manual', ...(cookie && { headers: { cookie } }) });
      return { status: answer.status, text: await answer.text(), headers: answer.headers };
    },
    async stop() {
      clearInterval(beats);
      await api.close();
      await Promise.all([
        store.close(),
        ledger.close(),
        freshness.close(),
        runs.close(),
        hooks.close(),
        access.close(),
        notifications.close(),
        http.close(),
      ]);
      await redis.remove();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}
