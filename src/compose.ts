import { join } from 'node:path';
import { ulid } from 'ulid';
import type { Builder } from './builder/builder.ts';
import { type Builders, createBuilders, type Daemon, givenBuilder } from './compose/builders.ts';
import { createGarbageCollection } from './compose/collect-garbage.ts';
import { createDownstreams } from './compose/forges.ts';
import { createGates } from './compose/gates.ts';
import { learnSecrets } from './compose/known-secrets.ts';
import { createLeftDefinitions, type LeftOptions } from './compose/left-definitions.ts';
import { createPackages } from './compose/packages.ts';
import { planDeps } from './compose/plan.ts';
import { createReader } from './compose/reader.ts';
import { createScanners } from './compose/scanners.ts';
import {
  type QueueSettings,
  type Session,
  type SessionParts,
  type SharedParts,
  startSession,
} from './compose/session.ts';
import { signingKey, withoutKey } from './compose/signing.ts';
import { withStore } from './compose/with-store.ts';
import type { Config } from './config.ts';
import { readFleet } from './definitions/read.ts';
import type { Digest } from './domain/digest.ts';
import type { Fleet, ImageInput } from './domain/fleet/model.ts';
import { sourceOf } from './domain/fleet/sources.ts';
import { parseBase, placesBelow } from './domain/places.ts';
import type { Collection } from './domain/prune/collection.ts';
import { atTag, type Reference } from './domain/reference.ts';
import { type Embedded, startEmbedded } from './embedded/embedded.ts';
import type { CycleObserver } from './flows/cycle.ts';
import type { PlanDeps } from './flows/gather.ts';
import { recordStarts } from './flows/recorder.ts';
import type { StepObserver } from './flows/steps.ts';
import { createLocator } from './flows/tracked.ts';
import { createRedisLedger } from './ledger/redis.ts';
import { createRedisFreshness } from './ledger/redis-freshness.ts';
import type { StoredPlan } from './ledger/store.ts';
import type { Budget } from './lib/budget.ts';
import type { LogFields } from './lib/log.ts';
import type { Pacer } from './lib/pacer.ts';
import { redisOptions } from './queue/connection.ts';
import { queuePrefix } from './queue/names.ts';
import type { RequestEvent } from './registry/transport.ts';
import { createAttestor } from './signer/attestor.ts';
import { createKeySigner } from './signer/key.ts';
import type { Telemetry } from './telemetry/create-telemetry.ts';
import { VERSION } from './version.ts';

/** Everything a command needs, put together from configuration. */
export interface App extends SharedParts {
  /** PEM of the key that releases are signed with. */
  readonly publicKey: string;
  /** Where that key is as a file, when ingot keeps it. */
  readonly publicKeyFile?: string;
  /** All that a plan needs; a cycle adds its dispatcher. */
  readonly cycle: PlanDeps;
  newRunId(): string;
  /** Tags of definitions that a service left a week ago and more. */
  leftDefinitions(options: LeftOptions): Promise<readonly string[]>;
  /** Frees what pruning left in the embedded registry; absent: the registry is not ours. */
  readonly collectGarbage?: () => Promise<Collection>;
  /** The last plan of a service on the same Redis. */
  storedPlan(): Promise<StoredPlan | undefined>;
  /** What an input points to now: `undefined` when it is absent, or could not be asked. */
  resolveInput(input: ImageInput): Promise<Digest | undefined>;
  /** Workers for every role in this process. */
  startSession(observer: StepObserver): Promise<Session>;
  /** Writes the start of runs into the ledger. */
  record(observer: CycleObserver): CycleObserver;
  close(): Promise<void>;
}

export interface ComposeOptions {
  readonly signal: AbortSignal;
  /** Troubles of parts that keep going by themselves. */
  readonly onTrouble: (message: string, about?: LogFields) => void;
  /** For measurements: recorded parts in place of real ones, another fleet than that of the folder, requests counted. */
  readonly instead?: Partial<Pick<SharedParts, 'fleet' | 'cataloguer' | 'scanner'>> & {
    readonly builder?: Builder;
    readonly onRequest?: (event: RequestEvent) => void;
  };
}

export interface AssembleOptions extends ComposeOptions {
  /** A BuildKit that is shared with others. */
  readonly daemon?: Daemon;
  readonly revision?: SharedParts['revision'];
  readonly definedAt?: SharedParts['definedAt'];
  /** What all processes know of what hosts allow. */
  readonly budget?: Budget;
  /** The same of forges. */
  readonly forgeBudget?: Budget;
  /** What all processes know of how fast forges may be written to. */
  readonly pacer?: Pacer;
  /** For a process that releases nothing, and is given no key. */
  readonly unsigned?: boolean;
  /** Looks on at what the parts do. */
  readonly telemetry?: Pick<Telemetry, 'ledger' | 'attestor' | 'onRequest'> | undefined;
}

/** A factory with what its workers are given. */
export interface AssembledApp extends App {
  readonly session: SessionParts;
  readonly queue: QueueSettings;
  readonly builders: Builders;
}

/**
 * Puts the factory together for one fleet. Parts that the configuration does not name are embedded; those that are
 * not needed yet (builder, workers) are started when they are.
 */
export async function compose(config: Config, options: ComposeOptions): Promise<App> {
  const fleet = options.instead?.fleet ?? (await readFleet(config.root));
  const { settings } = fleet;
  const needs = { redis: config.redisUrl === undefined, registry: settings.registry === undefined, buildkit: false };
  const embedded = await startEmbedded({ dataDirectory: config.dataDirectory, needs, signal: options.signal });
  try {
    const app = await assembleApp(config, fleet, embedded, options);
    return {
      ...app,
      async close() {
        await app.close();
        await embedded.close();
      },
    };
  } catch (error) {
    await embedded.close();
    throw error;
  }
}

/** What it takes to look at images and signatures, without a fleet: a consumer's view. */
export function composeVerifier(
  config: Config,
  publicKey: string,
): Pick<App, 'registry' | 'attestor'> & { close(): Promise<void> } {
  const { http, registry } = createReader(config);
  return { registry, attestor: createAttestor({ registry, publicKey }), close: () => http.close() };
}

/** The same on parts that run already, and that its end leaves running. */
export async function assembleApp(
  config: Config,
  fleet: Fleet,
  embedded: Pick<Embedded, 'redis' | 'registry' | 'owner' | 'collectGarbage'>,
  options: AssembleOptions,
): Promise<AssembledApp> {
  const { settings } = fleet;
  await learnSecrets(config, fleet);
  const { builder, cataloguer, scanner, onRequest = options.telemetry?.onRequest } = options.instead ?? {};
  const base = settings.registry ?? `${embedded.registry}/${settings.fleet}`;
  const places = placesBelow(parseBase(base));
  const queue: QueueSettings = {
    redis: config.redisUrl === undefined ? { path: embedded.redis! } : { url: config.redisUrl },
    prefix: queuePrefix(settings.fleet),
    onError: (error) => options.onTrouble(error.message),
  };
  const from = (upstream: Reference) => sourceOf(upstream, settings);
  const { http, registry } = createReader(config, {
    ...{ onRequest, budget: options.budget },
    free: [base, ...settings.replicas],
  });
  const written = createRedisLedger({ connection: redisOptions(queue.redis), prefix: queue.prefix });
  const ledger = options.telemetry?.ledger(written) ?? written;
  const freshness = createRedisFreshness({
    connection: redisOptions(queue.redis),
    prefix: queue.prefix,
    now: Date.now,
  });
  const signer = options.unsigned ? undefined : createKeySigner(await signingKey(config, settings));
  const attestor = signer === undefined ? withoutKey() : createAttestor({ registry, signer });
  const builders = builder ? givenBuilder(builder) : createBuilders(config, settings, embedded, options);
  const parts = {
    config,
    fleet,
    places,
    registry,
    ledger,
    freshness,
    attestor: options.telemetry?.attestor(attestor) ?? attestor,
    factory: { id: `https://ingot.example/factories/${settings.fleet}`, version: VERSION },
    gates: createGates(config, settings, { http, registry, builders, places, sourceOf: from }),
    packages: createPackages(config, settings, { http, registry }),
    downstreams: createDownstreams(config, settings, http, { pacer: options.pacer, budget: options.forgeBudget }),
    announce: options.onTrouble,
    ...createScanners(config, settings),
    ...(cataloguer && { cataloguer }),
    ...(scanner && { scanner }),
    ...(options.revision && { revision: options.revision }),
    ...(options.definedAt && { definedAt: options.definedAt }),
  };
  const collectGarbage = createGarbageCollection(embedded, ledger, Date.now);
  const cycle = planDeps({ ...parts, from, readiness: builders.readiness });
  const session = { ...parts, builder: builders.builder, from };
  return {
    ...{ ...parts, session, queue, builders },
    publicKey: signer?.publicKey ?? '',
    ...(settings.registry === undefined && { publicKeyFile: join(config.dataDirectory, 'keys', 'ingot.pub') }),
    resolveInput: (input) => resolveInput(input, parts, from),
    cycle,
    newRunId: () => ulid(),
    ...(collectGarbage && { collectGarbage }),
    storedPlan: () => withStore(queue, settings.fleet, (store) => store.plan()),
    leftDefinitions: createLeftDefinitions(parts, queue, settings.fleet),
    startSession: (observer) => startSession(session, queue, embedded, observer),
    record: (observer) => recordStarts(ledger, observer, () => new Date()),
    async close() {
      await Promise.allSettled([ledger.close(), freshness.close(), http.close(), builders.close()]);
    },
  };
}

async function resolveInput(
  { source }: ImageInput,
  { registry, places, fleet }: Pick<App, 'registry' | 'places' | 'fleet'>,
  from: (upstream: Reference) => Reference,
) {
  const head = async () => {
    if ('upstream' in source) {
      const located = await createLocator({ registry, sourceOf: from })(source);
      return located.state === 'known' ? registry.head(from(located.value.reference)) : undefined;
    }
    const line = fleet.images.find(({ name }) => name === source.golden)?.line ?? 'latest';
    return registry.head(atTag(places.release(source.golden), line));
  };
  const found = await head().catch(() => undefined); // said by the caller: not known
  return found?.digest;
}
