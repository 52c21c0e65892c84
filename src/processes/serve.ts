import { ulid } from 'ulid';
import type { RunningApi } from '../api/server.ts';
import { diskRoom } from '../compose/disk.ts';
import type { ComposeOptions } from '../compose.ts';
import type { Config } from '../config.ts';
import { readFleet } from '../definitions/read.ts';
import { createFleetSource, type FleetSource } from '../definitions/source.ts';
import type { Fleet, Settings } from '../domain/fleet/model.ts';
import { ROLES, type WorkerView } from '../domain/service/workers.ts';
import { lookAtEmulation } from '../embedded/binfmt.ts';
import { type Embedded, startEmbedded } from '../embedded/embedded.ts';
import type { Log } from '../lib/log.ts';
import type { FactoryService } from '../service/service.ts';
import { serveApi } from './api.ts';
import { createDefinitionsKeeper } from './definitions.ts';
import { every } from './every.ts';
import { createFactoryService, createReceiver } from './factory-service.ts';
import { createHost, type Host } from './host.ts';
import { startNotifier } from './notifier.ts';
import { serveOperations } from './operations.ts';
import { readinessOf } from './readiness.ts';
import { startScheduler } from './scheduler.ts';
import { type ProcessTelemetry, startTelemetry } from './telemetry.ts';
import { startWorkers, type WorkerOptions } from './workers.ts';

export interface ServeOptions extends ComposeOptions {
  /** Where the definitions come from: `git+https://…#branch`, or a folder. */
  readonly fleet: string;
  /** Also takes work itself. */
  readonly workers: boolean;
  readonly concurrency: number;
  /** `host:port` of the API, in place of what ingot.yaml says. */
  readonly listen?: string | undefined;
  /** `host:port` of metrics and health, or `off`. */
  readonly metricsListen?: string | undefined;
  readonly log: Log;
}

export interface Serving {
  readonly fleet: Fleet;
  readonly service: FactoryService;
  /** Reads the definitions again. */
  reload(): Promise<void>;
  /** Lets what runs come to its end, for so long; the rest goes back to the queues. */
  stop(graceMs: number): Promise<void>;
}

/** How often the source of definitions is asked, and how soon an emptied Redis is noticed. */
const RELOAD_MS = 60_000;
const ENSURE_MS = 5_000;

/** The whole service in one process: plans, and works unless told otherwise. */
export async function serve(config: Config, options: ServeOptions): Promise<Serving> {
  const source = createFleetSource(options.fleet, config);
  const { root } = await source.update(options.signal);
  const fleet = await readFleet(root);
  const { settings } = fleet;
  const needs = { redis: config.redisUrl === undefined, registry: settings.registry === undefined, buildkit: false };
  const embedded = await startEmbedded({ dataDirectory: config.dataDirectory, needs, signal: options.signal });
  try {
    const watch = await startTelemetry(config, options.log);
    return await start(config, { fleet, source, embedded, watch }, options);
  } catch (error) {
    await embedded.close();
    throw error;
  }
}

interface Found {
  readonly fleet: Fleet;
  readonly source: FleetSource;
  readonly embedded: Embedded;
  readonly watch: ProcessTelemetry;
}

async function start(config: Config, found: Found, options: ServeOptions): Promise<Serving> {
  const { fleet, source, embedded, watch } = found;
  const { settings } = fleet;
  const { onTrouble, signal } = options;
  const base = settings.registry ?? `${embedded.registry}/${settings.fleet}`;
  const host = createHost(config, { ...options, fleet: settings.fleet, base, embedded, watch, unsigned: false });
  let { access } = settings;
  let api: RunningApi | undefined;
  const onLoaded = async (loaded: Settings) => {
    access = loaded.access;
    await api?.update(access);
  };
  const about = { source, base, fleet: settings.fleet };
  const keeper = createDefinitionsKeeper(config, host, { ...about, onTrouble, onLoaded, signal });
  await keeper.reload();
  const scheduler = await startScheduler(host, options);
  const disk = () => diskRoom(config.dataDirectory);
  const workers = options.workers ? await startOwnWorkers(fleet, host, { ...options, disk }) : undefined;
  await host.store.changed(['*']); // what happened while nobody was there
  await host.runs.look();
  const timers = [every(RELOAD_MS, keeper.reload, onTrouble), every(ENSURE_MS, keeper.ensure, onTrouble)];
  const notifier = startNotifier(host, config, options);
  const service = watch.telemetry.service(createFactoryService(host, keeper));
  const receiver = createReceiver(host, { ...keeper, onTrouble });
  const readiness = readinessOf(host);
  const operations = await serveOperations(watch, { config, options, readiness, host, service });
  const running = await serveApi(service, config, { ...options, receiver, readiness, access, store: host.access });
  api = running;
  return {
    ...{ fleet, service },
    reload: keeper.reload,
    async stop(graceMs) {
      for (const timer of timers) clearInterval(timer);
      await Promise.all([running.close(), operations.close()]);
      await Promise.all([scheduler.stop(graceMs), workers?.stop(graceMs), notifier.stop()]);
      await Promise.all([keeper.close(), host.close(), watch.close()]);
      await embedded.close();
    },
  };
}

async function startOwnWorkers(
  fleet: Fleet,
  host: Host,
  { concurrency, disk, onTrouble }: Pick<WorkerOptions, 'concurrency' | 'disk' | 'onTrouble'>,
) {
  const platforms = await ownPlatforms(fleet);
  return startWorkers(host, { id: ulid(), roles: ROLES, platforms, concurrency, disk, onTrouble });
}

/** What this machine builds: natively, or by emulation where that is set up. */
export async function ownPlatforms({ settings, images }: Fleet): Promise<WorkerView['platforms']> {
  const wanted = [...new Set(images.flatMap(({ platforms }) => platforms))];
  const own = process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64';
  const found = await Promise.all(
    wanted.map(async (platform) => {
      if (settings.builders[platform] !== undefined || platform === own) return [{ platform, how: 'native' } as const];
      return (await lookAtEmulation(platform)).ready ? [{ platform, how: 'emulated' } as const] : [];
    }),
  );
  return found.flat();
}
