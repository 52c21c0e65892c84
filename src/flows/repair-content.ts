import { FactoryError } from '../domain/errors.ts';
import type { Settings } from '../domain/fleet/model.ts';
import type { Inputs } from '../domain/inputs.ts';
import { type Places, parseBase, placesBelow } from '../domain/places.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import { parseUpstream } from '../domain/upstream.ts';
import type { Call, Registry } from '../registry/registry.ts';
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

/** Documents and statements travel as they are: what a replica has of the same image is what was here. */
export async function restoreFromReplica(
  { image, repository }: { readonly image: string; readonly repository: Reference },
  { subject, what }: Gap,
  { registry, settings }: { readonly registry: Registry; readonly settings: Pick<Settings, 'replicas'> },
  signal: AbortSignal,
): Promise<boolean> {
  if (!('type' in what)) return false;
  const { registry: host, repository: path } = repository;
  for (const replica of settings.replicas) {
    const at = atDigest(placesBelow(parseBase(replica)).release(image), subject);
    try {
      const referrers = await registry.referrers(at, { signal });
      const found = referrers.filter((referrer) => typesOf([referrer]).has(what.type));
      for (const { digest } of found) {
        await copyReferrer(atDigest(at, digest), { registry: host, repository: path }, registry, { signal });
      }
      if (found.length > 0) return true;
    } catch (error) {
      if (signal.aborted || !(error instanceof FactoryError)) throw error;
    }
  }
  return false;
}
