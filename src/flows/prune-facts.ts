import pLimit from 'p-limit';
import type { Digest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Fleet, Image } from '../domain/fleet/model.ts';
import { INPUTS_ARTIFACT_TYPE, type Inputs, InputsSchema } from '../domain/inputs.ts';
import type { Mark } from '../domain/marks.ts';
import { type Places, parseBase, placesBelow } from '../domain/places.ts';
import { type Reference, repositoryOf } from '../domain/reference.ts';
import { parseUpstream, type UpstreamSource, upstreamName } from '../domain/upstream.ts';
import type { ForgeRepository } from '../forge/forge.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { parseJson, parseManifest } from '../registry/manifest.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { readMarks } from './marks.ts';
import { findOrphans, type Orphan } from './prune-orphans.ts';
import { findPins, type Pins } from './prune-pins.ts';
import { type ReadRepository, readRepository } from './prune-read.ts';
import { messageOf } from './steps.ts';
import { createLocator } from './tracked.ts';

export interface PruneDeps {
  readonly registry: Registry;
  readonly ledger: Pick<Ledger, 'lock' | 'runs' | 'observation'>;
  readonly places: Places;
  readonly fleet: Fleet;
  readonly downstreams: readonly ForgeRepository[];
  readonly sourceOf: (upstream: Reference) => Reference;
  readonly now: () => Date;
}

/** All that there is of one image in our registry. */
export interface ImageStore {
  readonly image: Image;
  readonly releases: ReadRepository;
  readonly staging: ReadRepository;
  readonly marks: readonly Mark[];
  readonly orphans: readonly Orphan[];
  /** Records of inputs by the digest of the release. */
  readonly records: ReadonlyMap<Digest, readonly Inputs[]>;
  /** A run is under way, as far as the ledger knows. */
  readonly busy: boolean;
}

/** Copies of one upstream repository. */
export interface MirrorStore {
  readonly upstreams: readonly string[];
  readonly repository: ReadRepository;
  /** What the upstreams point to now: the next build may use it. `undefined`: could not be asked. */
  readonly current: ReadonlyMap<Digest, string> | undefined;
}

export interface PruneFacts {
  readonly stores: readonly ImageStore[];
  readonly mirrors: readonly MirrorStore[];
  readonly pins: Pins;
  /** Repositories of ours that could not be read: what they need is not known. */
  readonly unread: readonly string[];
}

const IMAGES_AT_ONCE = 4;

/** Reads everything that a decision to delete may depend on. */
export async function gatherPruneFacts(deps: PruneDeps, signal: AbortSignal): Promise<PruneFacts> {
  const limit = pLimit(IMAGES_AT_ONCE);
  const unread: string[] = [];
  const orUnread = async <T>(what: Reference, read: () => Promise<T>): Promise<T[]> => {
    try {
      return [await read()];
    } catch (error) {
      if (signal.aborted || !(error instanceof FactoryError)) throw error;
      unread.push(`${repositoryOf(what)} could not be read: ${messageOf(error)}`);
      return [];
    }
  };
  const stores = deps.fleet.images.map((image) =>
    limit(() => orUnread(deps.places.release(image.name), () => readStore(image, deps, signal))),
  );
  const found = (await Promise.all(stores)).flat();
  const mirrors = [...upstreamsByMirror(found, deps)].map(([, upstreams]) =>
    limit(() => orUnread(mirrorOf(upstreams, deps), () => readMirror(upstreams, deps, signal))),
  );
  const all = (await Promise.all(mirrors)).flat();
  const repositories = new Map([
    ...deps.fleet.images.flatMap(({ name }) => namesOf(name, deps)),
    ...all.map(({ repository: { reference } }) => [repositoryOf(reference), reference] as const),
  ]);
  const pins = await findPins(deps.downstreams, repositories, signal, deps.fleet.settings.pins);
  return { stores: found, mirrors: all, pins, unread };
}

/** A pin that names a replica is one of what we have: the replica may lack it, or lose it. */
function namesOf(image: string, { places, fleet }: PruneDeps): readonly (readonly [string, Reference])[] {
  const replicas = fleet.settings.replicas.map((replica) => placesBelow(parseBase(replica)));
  return [places, ...replicas].map((each) => [repositoryOf(each.release(image)), places.release(image)] as const);
}

async function readStore(image: Image, deps: PruneDeps, signal: AbortSignal): Promise<ImageStore> {
  const { registry, places } = deps;
  const at = places.release(image.name);
  const releases = await readRepository(registry, at, { signal, referrers: true });
  const staging = await readRepository(registry, places.staging(image.name), { signal, referrers: false });
  const marks = await readMarks(registry, at, { signal });
  return {
    ...{ image, releases, staging, marks },
    orphans: await findOrphans(releases, marks, deps, { signal }),
    records: await readRecords(releases, registry, { signal }),
    busy: await isBusy(image, deps),
  };
}

/** A run that was killed stays open in the ledger: after a day it is none. */
const LONGEST_RUN_MS = 86_400_000;

/** Whether a run of an image is under way. */
export async function isBusy({ name }: Image, { ledger, now }: Pick<PruneDeps, 'ledger' | 'now'>): Promise<boolean> {
  const runs = await ledger.runs({ image: name, limit: 5 });
  const since = now().getTime() - LONGEST_RUN_MS;
  return runs.some(({ outcome, startedAt }) => outcome === undefined && Date.parse(startedAt) > since);
}

async function readRecords({ reference, manifests }: ReadRepository, registry: Registry, call: Call) {
  const found = [...manifests.values()].filter(({ manifest }) => manifest.artifactType === INPUTS_ARTIFACT_TYPE);
  const read = found.map(async ({ digest, subject, manifest }) => {
    const [layer] = manifest.layers ?? [];
    if (subject === undefined || layer === undefined) return [];
    const content = await registry.blob(reference, layer, call);
    const inputs = InputsSchema.safeParse(parseJson(content, 'a record of inputs'));
    if (inputs.success) return [[subject, inputs.data] as const];
    throw new FactoryError(`the record ${digest} says nothing that could be understood`, { code: 'missing-content' });
  });
  const groups = Map.groupBy((await Promise.all(read)).flat(), ([subject]) => subject);
  return new Map([...groups].map(([subject, group]) => [subject, group.map(([, inputs]) => inputs)]));
}

/** Upstreams of definitions, and of every release: a registry does not tell which repositories it has. */
function upstreamsByMirror(stores: readonly ImageStore[], { fleet, places }: PruneDeps) {
  const named = fleet.images.flatMap(({ inputs }) =>
    inputs.flatMap(({ source }) => ('upstream' in source ? [{ name: upstreamName(source), source }] : [])),
  );
  const recorded = stores.flatMap(({ records }) =>
    [...records.values()]
      .flat()
      .flatMap(({ inputs }) => inputs.flatMap(({ name }) => (name.startsWith('golden/') ? [] : [{ name }]))),
  );
  const upstreams = new Map<string, Mirrored>([...recorded, ...named].map((each) => [each.name, each]));
  return Map.groupBy(upstreams.values(), ({ name }) => repositoryOf(places.mirror(parseUpstream(name))));
}

interface Mirrored {
  readonly name: string;
  /** As the definitions have it; absent when only releases were made from it. */
  readonly source?: UpstreamSource;
}

function mirrorOf([first]: readonly Mirrored[], { places }: PruneDeps): Reference {
  return places.mirror(parseUpstream(first!.name));
}

async function readMirror(upstreams: readonly Mirrored[], deps: PruneDeps, signal: AbortSignal): Promise<MirrorStore> {
  const at = mirrorOf(upstreams, deps);
  return {
    upstreams: upstreams.map(({ name }) => name),
    repository: await readRepository(deps.registry, at, { signal, referrers: false }),
    current: await readCurrent(upstreams, deps, signal),
  };
}

/** What was observed last counts; only where nothing was, upstream is asked. */
async function readCurrent(upstreams: readonly Mirrored[], deps: PruneDeps, signal: AbortSignal) {
  const current = new Map<Digest, string>();
  for (const { name, source } of upstreams) {
    if (source === undefined) continue;
    const digests = await digestsOf(source, deps, signal);
    if (digests === undefined) return undefined;
    for (const digest of digests) current.set(digest, `${name} points to it`);
  }
  return current;
}

async function digestsOf(upstream: UpstreamSource, deps: PruneDeps, signal: AbortSignal) {
  const seen = await deps.ledger.observation(upstreamName(upstream));
  if (seen !== undefined) return [seen.digest, ...Object.values(seen.platforms).map((digest) => digest!)];
  try {
    const located = await createLocator(deps, signal)(upstream);
    if (located.state === 'absent') return undefined;
    const stored = await deps.registry.manifest(deps.sourceOf(located.value.reference), { signal });
    if (stored === undefined) return undefined;
    const { manifests = [] } = parseManifest(stored.bytes, 'an upstream');
    return [stored.descriptor.digest, ...manifests.map(({ digest }) => digest)];
  } catch (error) {
    if (signal.aborted || !(error instanceof FactoryError)) throw error;
    return undefined;
  }
}
