import { ulid } from 'ulid';
import { startSchedulerWorkers } from '../../workers/scheduler.ts';
import type { AssembledApp } from '../compose.ts';
import type { Readiness } from '../domain/facts.ts';
import type { Platform } from '../domain/platform.ts';
import { finishMoves } from '../flows/channel-moves.ts';
import { replicateAll } from '../flows/replicate.ts';
import { moveStages } from '../flows/stages.ts';
import type { ServiceStore } from '../ledger/store.ts';
import type { PlannedFactory } from '../service/factory.ts';
import { createPlanner } from '../service/planner.ts';
import type { Host } from './host.ts';

export interface SchedulerProcess {
  stop(graceMs: number): Promise<void>;
}

/** So often is looked without anybody having said so: holds end by themselves, planners die. */
const TICK_MS = 30_000;

/** Plans, follows releases, does what schedules say; beside any number of others that do so. */
export async function startScheduler(
  host: Host,
  { onTrouble }: { onTrouble: (message: string) => void },
): Promise<SchedulerProcess> {
  const { store, runs } = host;
  const planner = createPlanner({ store, runs, now: () => new Date(), newRunId: () => ulid() });
  const withFactory = async (use: (app: AssembledApp) => Promise<unknown>) => {
    const pointer = await store.definitions();
    return pointer === undefined ? undefined : host.withApp(pointer.digest, use);
  };
  const workers = startSchedulerWorkers(
    {
      look: (signal) => withFactory(async (app) => planner.look(await factoryOf(app, host), signal)),
      follow: (signal) => withFactory((app) => follow(app, host, signal)),
      due: (name, signal) => withFactory((app) => due(name, app, host, signal)),
    },
    host.queue,
  );
  const trouble = (error: unknown) => onTrouble(error instanceof Error ? error.message : String(error));
  const tick = setInterval(() => void runs.look().catch(trouble), TICK_MS);
  return {
    async stop(graceMs) {
      clearInterval(tick);
      await Promise.all(workers.map((worker) => worker.stop(graceMs)));
    },
  };
}

async function factoryOf(app: AssembledApp, { store }: Host): Promise<PlannedFactory> {
  const { settings } = app.fleet;
  const pointer = await store.definitions();
  const stages = stageDeps(app);
  const { disk: _, ...cycle } = app.cycle; // builds are elsewhere
  return {
    definitions: pointer!.digest,
    ledger: app.ledger,
    follows: settings.channels.length > 0 || settings.replicas.length > 0,
    proposes: settings.downstreams.length > 0,
    plan: {
      ...cycle,
      finishMoves: (repository, signal) => finishMoves(repository, stages, signal),
      readiness: (platform) => readiness(platform, store),
    },
  };
}

/** A platform can be built when somebody is there who builds it. */
async function readiness(platform: Platform, store: ServiceStore): Promise<Readiness> {
  const workers = await store.workers();
  const able = workers.some(
    ({ roles, platforms, stopping }) =>
      roles.includes('build') && !stopping && platforms.some((each) => each.platform === platform),
  );
  if (able) return { ready: true };
  return {
    ready: false,
    why: `no worker builds ${platform}`,
    remedy: `start one: "ingot worker --roles build --platforms ${platform}"`,
  };
}

function stageDeps({ registry, ledger, places, fleet, attestor, gates }: AssembledApp) {
  return { registry, ledger, places, settings: fleet.settings, attestor, gates, now: () => new Date() };
}

/** What follows releases: channels in stages, then replicas. */
async function follow(app: AssembledApp, { store, runs }: Host, signal: AbortSignal): Promise<void> {
  const reports = await moveStages(app.fleet.images, stageDeps(app), signal);
  const moved = reports.filter((report) => report.moved.length > 0).map(({ image }) => image);
  await store.changed(moved);
  if (moved.length > 0) await runs.look();
  if (app.fleet.settings.replicas.length === 0) return;
  const { registry, ledger, places, fleet, attestor } = app;
  await replicateAll({ registry, ledger, places, fleet, attestor, now: () => new Date() }, signal);
}

async function due(name: string, app: AssembledApp, { store, runs }: Host, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await store.changed(['*']);
  await runs.look();
  if (name !== 'nightly') return;
  await runs.follow();
  const pointer = await store.definitions();
  if (app.fleet.settings.downstreams.length === 0) return;
  for (const image of app.fleet.images) await runs.propose(image.name, pointer!.digest);
}
