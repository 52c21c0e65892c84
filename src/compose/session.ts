import { join } from 'node:path';
import { startBuildWorker } from '../../workers/build.ts';
import type { PartsOf, WorkerSettings } from '../../workers/parts.ts';
import { startProposeWorker } from '../../workers/propose.ts';
import { startReleaseWorker } from '../../workers/release.ts';
import type { Builder } from '../builder/builder.ts';
import type { Config } from '../config.ts';
import { createContextPreparer } from '../definitions/context.ts';
import { gitRevision } from '../definitions/revision.ts';
import type { Fleet, Image } from '../domain/fleet/model.ts';
import type { Places } from '../domain/places.ts';
import type { Reference } from '../domain/reference.ts';
import type { Embedded } from '../embedded/embedded.ts';
import type { BuildDeps } from '../flows/build.ts';
import { createProposer } from '../flows/proposals.ts';
import { createRecorder } from '../flows/recorder.ts';
import type { RunDeps } from '../flows/run.ts';
import { runSmoke } from '../flows/smoke.ts';
import { mirroredSources, openSnapshot } from '../flows/snapshot.ts';
import type { StepObserver } from '../flows/steps.ts';
import type { GateRunner } from '../gates/gates.ts';
import type { FreshnessStore } from '../ledger/freshness.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createDispatcher, emptyQueues } from '../queue/bullmq.ts';
import type { RedisAddress } from '../queue/connection.ts';
import type { Dispatcher } from '../queue/dispatcher.ts';
import type { Registry } from '../registry/registry.ts';
import type { Cataloguer, Scanner } from '../scanner/scanner.ts';
import type { Attestor } from '../signer/signer.ts';
import type { Downstreams } from './forges.ts';
import type { Packages } from './packages.ts';

export interface Session {
  readonly dispatcher: Dispatcher;
  close(): Promise<void>;
}

export type QueueSettings = WorkerSettings & { readonly redis: RedisAddress };

/** What commands and workers both need. */
export interface SharedParts {
  readonly config: Config;
  readonly fleet: Fleet;
  readonly places: Places;
  readonly registry: Registry;
  readonly ledger: Ledger;
  /** How long changes take. */
  readonly freshness: FreshnessStore;
  readonly attestor: Attestor;
  readonly gates: GateRunner;
  /** Names this factory in provenance. */
  readonly factory: { readonly id: string; readonly version: string };
  readonly cataloguer: Cataloguer;
  readonly scanner: Scanner;
  /** What images have installed, and what archives offer. */
  readonly packages: Packages;
  readonly downstreams: Downstreams;
  /** A line for the log. */
  readonly announce: (line: string) => void;
  /** Last commit that touched an image, where the definitions are in no git repository here. */
  readonly revision?: (image: Image) => Promise<string | undefined>;
  /** When that was, RFC 3339. */
  readonly definedAt?: (image: Image) => Promise<string | undefined>;
}

export interface SessionParts extends SharedParts {
  readonly builder: Builder;
  readonly from: (upstream: Reference) => Reference;
}

export async function startSession(
  parts: SessionParts,
  queue: QueueSettings,
  embedded: Pick<Embedded, 'owner'>,
  observer: StepObserver,
): Promise<Session> {
  const platforms = [...new Set(parts.fleet.images.flatMap((image) => image.platforms))];
  if (parts.config.redisUrl === undefined && embedded.owner) await emptyQueues(queue, platforms);
  const recorder = createRecorder(parts.ledger, observer);
  const deps = runDeps(parts, recorder);
  const dispatcher = await createDispatcher(queue);
  const own = { run: deps, propose: createProposer({ ...parts, ...deps.release }) };
  const partsOf: PartsOf = (_job, signal, use) => use(own, signal);
  const workers = [
    ...platforms.map((platform) => startBuildWorker(platform, partsOf, { ...queue, concurrency: 1 })),
    startReleaseWorker(partsOf, { ...queue, concurrency: 2 }),
    startProposeWorker(partsOf, queue),
  ];
  return {
    dispatcher,
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
      await recorder.flush();
      await dispatcher.close();
    },
  };
}

/** What runs need, as jobs are given it. */
export function runDeps(parts: SessionParts, observer: StepObserver): RunDeps {
  const { config, fleet, places, registry, ledger, builder, cataloguer, scanner, attestor, gates, factory, from } =
    parts;
  const { settings } = fleet;
  const { root, secret } = config;
  const prepare = createContextPreparer({
    settings,
    root,
    workDirectory: join(config.dataDirectory, 'builds'),
    secret,
  });
  const smoke: BuildDeps['smoke'] = ({ smoke: tests }, image, platform, signal) =>
    runSmoke({ tests: tests!, builder, registry, image, platform, signal });
  const archives = { registry, places, sourceOf: from, mirrors: settings.archives, ...parts.packages };
  const lists: BuildDeps['lists'] = (image, inputs, signal) => openSnapshot(image, inputs, archives, { signal });
  const sources: BuildDeps['sources'] = (image, inputs, platform, signal) =>
    mirroredSources(image, inputs, platform, archives, { signal });
  const revision = parts.revision ?? ((image: Image) => gitRevision(image, root));
  return {
    fleet,
    ledger,
    observer,
    build: { registry, builder, places, sourceOf: from, mirror: settings.mirror, prepare, smoke, lists, sources },
    release: {
      registry,
      ledger,
      places,
      settings,
      cataloguer,
      scanner,
      attestor,
      gates,
      revision,
      factory,
      now: () => new Date(),
    },
  };
}
