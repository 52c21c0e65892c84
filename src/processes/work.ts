import { setTimeout as wait } from 'node:timers/promises';
import { ulid } from 'ulid';
import { diskRoom } from '../compose/disk.ts';
import type { ComposeOptions } from '../compose.ts';
import type { Config } from '../config.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Platform } from '../domain/platform.ts';
import type { Role } from '../domain/service/workers.ts';
import { startEmbedded } from '../embedded/embedded.ts';
import { fleetsIn } from '../ledger/redis-store.ts';
import type { DefinitionsPointer } from '../ledger/store.ts';
import type { Log } from '../lib/log.ts';
import { redisOptions } from '../queue/connection.ts';
import { createHost, type Host } from './host.ts';
import { serveOperations } from './operations.ts';
import { readinessOf } from './readiness.ts';
import { ownPlatforms } from './serve.ts';
import { startTelemetry } from './telemetry.ts';
import { startWorkers } from './workers.ts';

export interface WorkOptions extends ComposeOptions {
  readonly roles: readonly Role[];
  /** Empty: all that this machine can build. */
  readonly platforms: readonly Platform[];
  readonly concurrency: number;
  /** Which fleet, in a Redis that has several. */
  readonly fleet?: string | undefined;
  /** `host:port` of metrics and health, or `off`. */
  readonly metricsListen?: string | undefined;
  readonly log: Log;
}

export interface Working {
  readonly id: string;
  readonly host: Host;
  readonly fleet: string;
  stop(graceMs: number): Promise<void>;
}

const POLL_MS = 1_000;

/** A process that takes work: it needs Redis and the registry, and shares no disk with anybody. */
export async function work(config: Config, options: WorkOptions): Promise<Working> {
  const { dataDirectory } = config;
  const needs = { redis: config.redisUrl === undefined };
  const embedded = await startEmbedded({ dataDirectory, needs, signal: options.signal });
  const redis = config.redisUrl === undefined ? { path: embedded.redis! } : { url: config.redisUrl };
  try {
    const pointer = await findFleet(redisOptions(redis), options);
    const { fleet, base } = pointer;
    const registry = base.split('/')[0]!;
    const unsigned = !options.roles.includes('release');
    const watch = await startTelemetry(config, options.log);
    const host = createHost(config, { ...options, fleet, base, embedded: { ...embedded, registry }, unsigned, watch });
    const platforms = await host.withApp(pointer.digest, async (app) => ownPlatforms(app.fleet));
    const wanted = platforms.filter(
      ({ platform }) => options.platforms.length === 0 || options.platforms.includes(platform),
    );
    const missing = options.platforms.filter((name) => !platforms.some(({ platform }) => platform === name));
    if (missing.length > 0) throw cannotBuild(missing);
    const disk = () => diskRoom(config.dataDirectory);
    const workers = await startWorkers(host, { ...options, id: ulid(), platforms: wanted, disk });
    const operations = await serveOperations(watch, { config, options, readiness: readinessOf(host), host });
    return {
      ...{ id: workers.id, host, fleet },
      async stop(graceMs) {
        await workers.stop(graceMs);
        await Promise.all([host.close(), operations.close(), watch.close()]);
        await embedded.close();
      },
    };
  } catch (error) {
    await embedded.close();
    throw error;
  }
}

/** Waits until a scheduler has said what the definitions are. */
async function findFleet(
  redis: ReturnType<typeof redisOptions>,
  { fleet, signal, onTrouble }: WorkOptions,
): Promise<DefinitionsPointer> {
  for (let turn = 0; ; turn++) {
    const all = await fleetsIn(redis);
    const found = fleet === undefined ? all : all.filter((each) => each.fleet === fleet);
    if (found.length === 1) return found[0]!;
    if (found.length > 1) {
      const names = found.map((each) => each.fleet).join(', ');
      throw new FactoryError(`this Redis has the fleets ${names}; name one with --fleet-name`, { code: 'usage' });
    }
    if (turn === 0) onTrouble('no fleet in this Redis yet; waiting for "ingot serve"');
    await wait(POLL_MS, undefined, { signal });
  }
}

function cannotBuild(platforms: readonly Platform[]): FactoryError<'configuration'> {
  return new FactoryError(
    `this machine cannot build ${platforms.join(', ')}: it is of another kind, and no emulation is set up; "ingot doctor" says how, or name a builder in ingot.yaml`,
    { code: 'configuration' },
  );
}
