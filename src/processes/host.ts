import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createDaemon } from '../compose/builders.ts';
import { WAITING } from '../compose/forges.ts';
import { createReader } from '../compose/reader.ts';
import type { QueueSettings } from '../compose/session.ts';
import { type AssembledApp, assembleApp, type ComposeOptions } from '../compose.ts';
import type { Config } from '../config.ts';
import { readFleet } from '../definitions/read.ts';
import { unpackFleet } from '../definitions/store.ts';
import type { Digest } from '../domain/digest.ts';
import { parseBase, placesBelow } from '../domain/places.ts';
import type { Embedded } from '../embedded/embedded.ts';
import { fetchDefinitions } from '../flows/definitions.ts';
import type { AccessStore } from '../ledger/access.ts';
import { createSharedBudgets, type SharedBudgets } from '../ledger/budgets.ts';
import type { FreshnessStore } from '../ledger/freshness.ts';
import type { HookStore } from '../ledger/hooks.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { NotifyStore } from '../ledger/notifications.ts';
import { createRedisLedger } from '../ledger/redis.ts';
import { createRedisAccess } from '../ledger/redis-access.ts';
import { createRedisFreshness } from '../ledger/redis-freshness.ts';
import { createRedisHooks } from '../ledger/redis-hooks.ts';
import { createRedisNotifications } from '../ledger/redis-notifications.ts';
import { createRedisStore } from '../ledger/redis-store.ts';
import type { ServiceStore } from '../ledger/store.ts';
import { createPacer } from '../lib/pacer.ts';
import { createRunQueue } from '../queue/bullmq-runs.ts';
import { redisOptions } from '../queue/connection.ts';
import { queuePrefix } from '../queue/names.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import type { ProcessTelemetry } from './telemetry.ts';

/** What a process of the service has for as long as it lives, whatever definitions come and go. */
export interface Host {
  readonly queue: QueueSettings;
  readonly store: ServiceStore;
  readonly runs: RunQueue;
  readonly ledger: Ledger;
  readonly freshness: FreshnessStore;
  readonly hooks: HookStore;
  readonly access: AccessStore;
  readonly notifications: NotifyStore;
  readonly budgets: SharedBudgets;
  /** The factory for these definitions; it stays put together until nobody has used it for a while. */
  withApp<T>(definitions: Digest, use: (app: AssembledApp) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface HostOptions extends ComposeOptions {
  readonly fleet: string;
  /** `host[:port]/path` below which the fleet lives. */
  readonly base: string;
  readonly embedded: Pick<Embedded, 'redis' | 'registry' | 'owner' | 'collectGarbage'>;
  /** No role that signs. */
  readonly unsigned: boolean;
  /** Of a process that keeps running. */
  readonly watch?: ProcessTelemetry | undefined;
}

/** Definitions that runs of the queues may still be made from. */
const KEPT_APPS = 4;
/** A request that a host puts off for longer fails, and its job is tried again later. */
const MAX_WAIT_MS = 30_000;

interface KeptApp {
  readonly app: Promise<AssembledApp>;
  users: number;
}

export function createHost(config: Config, options: HostOptions): Host {
  const address = queueOf(config, options);
  const { watch } = options;
  const connection = redisOptions(address.redis);
  const { prefix } = address;
  const kept = createRedisStore({ connection, prefix, fleet: options.fleet, now: Date.now });
  const store = watch?.telemetry.store(kept) ?? kept;
  const queue = watchedQueue(address, store, options);
  const queued = createRunQueue(queue);
  const runs = watch?.telemetry.runs(queued) ?? queued;
  const written = createRedisLedger({ connection: redisOptions(queue.redis), prefix: queue.prefix });
  const ledger = watch?.telemetry.ledger(written) ?? written;
  const freshness = createRedisFreshness({
    connection: redisOptions(queue.redis),
    prefix: queue.prefix,
    now: Date.now,
  });
  const hooks = createRedisHooks({ connection: redisOptions(queue.redis), prefix: queue.prefix });
  const access = createRedisAccess({ connection: redisOptions(queue.redis), prefix: queue.prefix, now: Date.now });
  const notifications = createRedisNotifications({ connection: redisOptions(queue.redis), prefix: queue.prefix });
  const budgets = createSharedBudgets({
    connection: redisOptions(queue.redis),
    prefix: queue.prefix,
    id: `${hostname()} ${process.pid}`,
    maxWaitMs: MAX_WAIT_MS,
    now: Date.now,
    sleep: (ms, signal) => wait(ms, undefined, { signal }),
  });
  const budget = budgets.of('registry');
  const pacer = createPacer({ ...WAITING, times: budgets.writes });
  const reader = createReader(config, { budget, free: [options.base], onRequest: watch?.telemetry.onRequest });
  const daemon = createDaemon(config, options);
  const repository = placesBelow(parseBase(options.base)).fleet();
  const open = async (definitions: Digest) => {
    const { signal } = options;
    const fetch = () => fetchDefinitions(definitions, { registry: reader.registry, repository }, { signal });
    const folder = join(config.dataDirectory, 'definitions');
    const { root, revisions, times } = await unpackFleet(definitions, fetch, folder);
    const fleet = options.instead?.fleet ?? (await readFleet(root));
    return assembleApp({ ...config, definitions: root }, fleet, options.embedded, {
      ...options,
      daemon,
      budget,
      telemetry: watch?.telemetry,
      forgeBudget: budgets.of('forge'),
      pacer,
      revision: async ({ name }) => revisions[name],
      definedAt: async ({ name }) => times[name],
    });
  };
  const apps = createKeeper(open);
  return {
    ...{ queue, store, runs, ledger, freshness, hooks, access, notifications, budgets },
    withApp: apps.use,
    async close() {
      await apps.close();
      const parts = [runs, store, ledger, freshness, hooks, access, notifications, budgets, reader.http];
      await Promise.allSettled(parts.map((part) => part.close()));
      await daemon.close();
    },
  };
}

function queueOf(config: Config, { fleet, embedded, onTrouble }: HostOptions): QueueSettings {
  return {
    redis: config.redisUrl === undefined ? { path: embedded.redis! } : { url: config.redisUrl },
    prefix: queuePrefix(fleet),
    onError: (error) => onTrouble(error.message),
  };
}

function watchedQueue(address: QueueSettings, store: ServiceStore, { onTrouble, watch }: HostOptions): QueueSettings {
  return {
    ...address,
    telemetry: watch?.queueTracing,
    onFailed(queue, error, job) {
      onTrouble(`${queue}: ${error.message}`, { queue, ...job });
      watch?.telemetry.onJobFailed(queue);
      void store.failed(queue).catch(() => undefined); // a count that is missing harms nobody
    },
  };
}

/** Keeps what was opened last; what is in use is never closed. */
function createKeeper(open: (definitions: Digest) => Promise<AssembledApp>) {
  const kept = new Map<Digest, KeptApp>();
  const closeIdle = async (most: number) => {
    for (const [digest, entry] of kept) {
      if (kept.size <= most) return;
      if (entry.users > 0) continue;
      kept.delete(digest);
      await entry.app.then((app) => app.close()).catch(() => undefined);
    }
  };
  return {
    async use<T>(definitions: Digest, work: (app: AssembledApp) => Promise<T>): Promise<T> {
      const entry = kept.get(definitions) ?? { app: open(definitions), users: 0 };
      kept.delete(definitions);
      kept.set(definitions, entry); // the last in order was used last
      entry.users += 1;
      try {
        return await work(await entry.app);
      } catch (error) {
        if (await isBroken(entry)) kept.delete(definitions);
        throw error;
      } finally {
        entry.users -= 1;
        await closeIdle(KEPT_APPS);
      }
    },
    close: () => closeIdle(0),
  };
}

/** One that could not be opened is tried again by whoever asks next. */
async function isBroken({ app }: KeptApp): Promise<boolean> {
  return app.then(
    () => false,
    () => true,
  );
}
