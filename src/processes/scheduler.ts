import { ulid } from 'ulid';
import { startSchedulerWorkers } from '../../workers/scheduler.ts';
import { repairDeps, replicateDeps, stageDeps } from '../commands/flow-deps.ts';
import { findLeftDefinitions } from '../compose/left-definitions.ts';
import type { AssembledApp } from '../compose.ts';
import { FactoryError } from '../domain/errors.ts';
import { buildReadiness } from '../domain/service/readiness.ts';
import { finishMoves } from '../flows/channel-moves.ts';
import { followProposed } from '../flows/freshness.ts';
import { prune } from '../flows/prune.ts';
import { type CycleRepair, explainRepair, repairBeforePlan } from '../flows/repair-before-plan.ts';
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
/** Of the interval between two sweeps. */
const JITTER = 0.1;

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
      findDamage: repairBeforePlan(repairDeps(app), (repair) => void tellRepair(repair, store)),
      readiness: async (platform) => buildReadiness(platform, await store.workers()),
    },
  };
}

/** Says what a look put back, or could not. */
async function tellRepair(repair: CycleRepair, store: ServiceStore) {
  const { image, version } = repair;
  const what = `${version}: ${explainRepair(repair).join('; ')}`;
  const event = { type: 'image.changed', image, what, by: 'repair' } as const;
  await store.tell(event).catch(() => undefined); // what is told is no part of what is done
}

/** What follows releases: channels in stages, then replicas. */
async function follow(app: AssembledApp, { store, runs }: Host, signal: AbortSignal): Promise<void> {
  const reports = await moveStages(app.fleet.images, stageDeps(app), signal);
  const moved = reports.filter((report) => report.moved.length > 0).map(({ image }) => image);
  await store.changed(moved);
  if (moved.length > 0) await runs.look();
  if (app.fleet.settings.replicas.length === 0) return;
  await replicateAll(replicateDeps(app), signal);
}

/** Schedules only say what is due; what takes long is done by jobs of its own. */
async function due(name: string, app: AssembledApp, host: Host, signal: AbortSignal): Promise<void> {
  const { store, runs } = host;
  signal.throwIfAborted();
  if (name === 'prune') return pruneAll(app, host, signal);
  await store.changed(['*']);
  // Factories that were started together do not ask the same registries in the same second for ever
  await runs.look({
    delayMs: name === 'watch' ? Math.random() * JITTER * app.fleet.settings.watch.everySeconds * 1000 : 0,
  });
  if (name === 'watch') await followProposed(app.freshness, await app.downstreams.list(signal), signal);
  if (name === 'scan') await app.scanner.database(signal); // after the look was asked for: without one, it says so
  if (name !== 'nightly') return;
  await runs.follow();
  const pointer = await store.definitions();
  if (app.fleet.settings.downstreams.length === 0) return;
  for (const image of app.fleet.images) await runs.propose(image.name, pointer!.digest);
}

async function pruneAll(app: AssembledApp, host: Host, signal: AbortSignal): Promise<void> {
  const deps = { ...app.cycle, downstreams: await app.downstreams.list(signal), now: () => new Date() };
  const left = findLeftDefinitions(host, app, { remove: true, signal });
  const [definitions, { problems: others, removed }] = await Promise.all([
    left.then(
      (tags) => ({ removed: tags.length, problems: [] }),
      (error: Error) => ({ removed: 0, problems: [error.message] }), // the rest can go all the same
    ),
    prune(deps, 'the schedule', signal),
  ]);
  if (removed + definitions.removed > 0) await app.collectGarbage?.();
  const problems = [...definitions.problems, ...others];
  if (problems.length > 0)
    throw new FactoryError(`not all was removed: ${problems.join('; ')}`, { code: 'unavailable' });
}
