import type { Digest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Settings } from '../domain/fleet/model.ts';
import type { Inputs } from '../domain/inputs.ts';
import { type Places, parseBase, placesBelow } from '../domain/places.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import { parseUpstream } from '../domain/upstream.ts';
import { parseManifest } from '../registry/manifest.ts';
import { type Call, isIndex, type Registry } from '../registry/registry.ts';
import { typesOf } from './attachments.ts';
import type { Gap } from './damage.ts';

export interface ContentSources {
  readonly registry: Registry;
  readonly places: Places;
  readonly replicas: readonly string[];
}

/** Where the content of a release may be besides its own repository: what is near first. */
export function sourcesOf(
  image: string,
  records: readonly Inputs[],
  { places, replicas }: ContentSources,
): readonly Reference[] {
  const inputs = new Set(records.flatMap((record) => record.inputs.map(({ name }) => name)));
  const bases = [...inputs].map((name) =>
    name.startsWith('golden/') ? places.release(name.slice('golden/'.length)) : places.mirror(parseUpstream(name)),
  );
  return [
    places.staging(image),
    ...bases,
    ...replicas.map((replica) => placesBelow(parseBase(replica)).release(image)),
  ];
}

/**
 * Brings a manifest or a blob back from the first place that has it: digests leave no doubt that it is the same.
 * @returns false when no place has it
 */
export async function restoreContent(
  repository: Reference,
  { subject, what }: Gap,
  sources: readonly Reference[],
  registry: Registry,
  call: Call,
): Promise<boolean> {
  if ('type' in what) return false;
  for (const source of sources) {
    try {
      if ('blob' in what) {
        await registry.copyBlob(source, repository, what.blob, call);
        return true;
      }
      const at = atDigest(source, subject);
      if ((await registry.head(at, call)) === undefined) continue;
      const { registry: host, repository: path } = repository;
      await registry.copy(at, { registry: host, repository: path }, call);
      return true;
    } catch (error) {
      // The next place may have it
      if (call.signal?.aborted || !(error instanceof FactoryError)) throw error;
    }
  }
  return false;
}

/** A referrer that is there and not listed is written again: that lists it. @param from by digest */
export async function copyReferrer(from: Reference, to: Reference, registry: Registry, call: Call): Promise<void> {
  const stored = await registry.manifest(from, call);
  if (stored === undefined) return;
  await registry.copy(from, to, call);
  const { mediaType, digest } = stored.descriptor;
  await registry.putManifest(atDigest(to, digest), { mediaType, bytes: stored.bytes }, call);
}

/** One thing that is attached to an image, and how it is known that it may be attached to ours. */
export interface Wanted {
  readonly subject: Digest;
  readonly type: string;
  /** By digest at the replica. @param at the image there */
  readonly isTrue: (referrer: Reference, at: Reference) => Promise<boolean>;
}

/**
 * Copies what a replica has attached to the same image. Who can write there must not write here: only what refers to
 * that image indeed, is of that type, and holds.
 */
export async function restoreFromReplica(
  { image, repository }: { readonly image: string; readonly repository: Reference },
  { subject, type, isTrue }: Wanted,
  { registry, settings }: { readonly registry: Registry; readonly settings: Pick<Settings, 'replicas'> },
  signal: AbortSignal,
): Promise<boolean> {
  const { registry: host, repository: path } = repository;
  for (const replica of settings.replicas) {
    const at = atDigest(placesBelow(parseBase(replica)).release(image), subject);
    let found = false;
    try {
      const referrers = await registry.referrers(at, { signal });
      for (const { digest } of referrers.filter((referrer) => typesOf([referrer]).has(type))) {
        const from = atDigest(at, digest);
        if (!(await isAbout(from, { subject, type }, registry, { signal })) || !(await isTrue(from, at))) continue;
        await copyReferrer(from, { registry: host, repository: path }, registry, { signal });
        found = true;
      }
      if (found) return true;
    } catch (error) {
      if (signal.aborted || !(error instanceof FactoryError)) throw error;
    }
  }
  return false;
}

/** As the manifest itself says: a list of referrers may say anything. */
async function isAbout(
  referrer: Reference,
  { subject, type }: Pick<Wanted, 'subject' | 'type'>,
  registry: Registry,
  call: Call,
): Promise<boolean> {
  const stored = await registry.manifest(referrer, call);
  if (stored === undefined || isIndex(stored.descriptor.mediaType)) return false;
  const { artifactType, config, annotations, ...manifest } = parseManifest(stored.bytes, 'a referrer');
  const told = { ...stored.descriptor, artifactType: artifactType ?? config?.mediaType, annotations };
  return manifest.subject?.digest === subject && typesOf([told]).has(type);
}
