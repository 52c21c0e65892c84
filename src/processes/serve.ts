import { ulid } from 'ulid';
import { createReader } from '../compose/reader.ts';
import type { ComposeOptions } from '../compose.ts';
import type { Config } from '../config.ts';
import { readFleet } from '../definitions/read.ts';
import { packFleet } from '../definitions/store.ts';
import type { Fleet } from '../domain/fleet/model.ts';
import { parseBase, placesBelow } from '../domain/places.ts';
import { KNOWN_PLATFORMS } from '../domain/platform.ts';
import { ROLES, type WorkerView } from '../domain/service/workers.ts';
import { lookAtEmulation } from '../embedded/binfmt.ts';
import { type Embedded, startEmbedded } from '../embedded/embedded.ts';
import { publishDefinitions } from '../flows/definitions.ts';
import type { DefinitionsPointer } from '../ledger/store.ts';
import { schedulesOf } from '../service/schedules.ts';
import { createHost, type Host } from './host.ts';
import { startScheduler } from './scheduler.ts';
import { startWorkers } from './workers.ts';

export interface ServeOptions extends ComposeOptions {
  /** Also takes work itself. */
  readonly workers: boolean;
  readonly concurrency: number;
}

export interface Serving {
  readonly host: Host;
  readonly fleet: Fleet;
  /** Lets what runs come to its end, for so long; the rest goes back to the queues. */
  stop(graceMs: number): Promise<void>;
}

/** The whole service in one process: plans, and works unless told otherwise. */
export async function serve(config: Config, options: ServeOptions): Promise<Serving> {
  const fleet = await readFleet(config.root);
  const { settings } = fleet;
  const needs = { redis: config.redisUrl === undefined, registry: settings.registry === undefined, buildkit: false };
  const embedded = await startEmbedded({ dataDirectory: config.dataDirectory, needs, signal: options.signal });
  try {
    return await start(config, fleet, embedded, options);
  } catch (error) {
    await embedded.close();
    throw error;
  }
}

async function start(config: Config, fleet: Fleet, embedded: Embedded, options: ServeOptions): Promise<Serving> {
  const { settings } = fleet;
  const base = settings.registry ?? `${embedded.registry}/${settings.fleet}`;
  const host = createHost(config, { ...options, fleet: settings.fleet, base, embedded, unsigned: false });
  await publish(config, fleet, base, host, options.signal);
  await host.runs.setSchedules(schedulesOf(settings));
  const scheduler = startScheduler(host, options);
  const workers = options.workers
    ? await startWorkers(host, {
        id: ulid(),
        roles: ROLES,
        platforms: await ownPlatforms(fleet),
        concurrency: options.concurrency,
        onTrouble: options.onTrouble,
      })
    : undefined;
  await host.store.changed(['*']);
  await host.runs.look();
  return {
    host,
    fleet,
    async stop(graceMs) {
      await Promise.all([scheduler.stop(graceMs), workers?.stop(graceMs)]);
      await host.close();
      await embedded.close();
    },
  };
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
  return found.flat().filter(({ platform }) => KNOWN_PLATFORMS.includes(platform));
}

async function publish(config: Config, fleet: Fleet, base: string, { store }: Host, signal: AbortSignal) {
  const { http, registry } = createReader(config);
  try {
    const definitions = await packFleet(config.root, fleet);
    const repository = placesBelow(parseBase(base)).fleet();
    const digest = await publishDefinitions(definitions, { registry, repository }, { signal });
    const now = new Date().toISOString();
    const pointer: DefinitionsPointer = {
      ...{ fleet: fleet.settings.fleet, source: config.root, digest, base, loadedAt: now, checkedAt: now },
      ...(definitions.commit && { commit: definitions.commit }),
    };
    await store.putDefinitions(pointer);
  } finally {
    await http.close();
  }
}
