import type { Digest } from '../domain/digest.ts';
import { type Platform, platformOf } from '../domain/platform.ts';
import { atDigest, formatReference, type Reference } from '../domain/reference.ts';
import { parseManifest } from '../registry/manifest.ts';
import { type Call, type Descriptor, isIndex, type Registry, type StoredManifest } from '../registry/registry.ts';
import { readConfig } from './config.ts';

export interface ResolvedImage {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Manifests of those platforms that were asked for and are there. */
  readonly platforms: Readonly<Partial<Record<Platform, Descriptor>>>;
  /** RFC 3339; of the first platform. */
  readonly created?: string;
  /** RFC 3339, of each platform that says it. */
  readonly platformsCreated: Readonly<Partial<Record<Platform, string>>>;
}

/** What an image is for the platforms; `undefined` when it is absent. */
export async function resolveImage(
  registry: Registry,
  reference: Reference,
  platforms: readonly Platform[],
  call: Call = {},
): Promise<ResolvedImage | undefined> {
  const stored = await registry.manifest(reference, call);
  if (stored === undefined) return undefined;
  const { digest, mediaType } = stored.descriptor;
  if (!isIndex(mediaType))
    return { digest, mediaType, ...(await resolveSingle(registry, reference, { stored, platforms, call })) };
  const children = platformManifests(parseManifest(stored.bytes, formatReference(reference)).manifests ?? []);
  const wanted = platforms.flatMap((platform) =>
    children.has(platform) ? [[platform, children.get(platform)!] as const] : [],
  );
  const times = wanted.map(async ([platform, child]) => {
    const { config } = await readConfig(registry, atDigest(reference, child.digest), call);
    return config.created === undefined ? [] : [[platform, config.created] as const];
  });
  const created = (await Promise.all(times)).flat();
  const first = created[0]?.[1];
  const platformsCreated = Object.fromEntries(created);
  return {
    digest,
    mediaType,
    platforms: Object.fromEntries(wanted),
    platformsCreated,
    ...(first && { created: first }),
  };
}

interface Single {
  readonly stored: StoredManifest;
  readonly platforms: readonly Platform[];
  readonly call: Call;
}

/** Without an index the platform is in the config. */
async function resolveSingle(registry: Registry, reference: Reference, { stored, platforms, call }: Single) {
  const { descriptor } = stored;
  const { config } = await readConfig(registry, atDigest(reference, descriptor.digest), call);
  const platform = platformOf(config);
  const { created } = config;
  return {
    platforms: platforms.includes(platform) ? { [platform]: descriptor } : {},
    platformsCreated: created === undefined ? {} : { [platform]: created },
    ...(created && { created }),
  };
}

/**
 * The manifests of an index by platform. Attestations are no platforms (BuildKit, attestation-storage.md): they are
 * annotated, and their platform is unknown. Of two for the same platform the first counts, as for container runtimes.
 */
export function platformManifests(manifests: readonly Descriptor[]): ReadonlyMap<Platform, Descriptor> {
  const found = new Map<Platform, Descriptor>();
  for (const manifest of manifests) {
    const { platform, annotations, mediaType } = manifest;
    if (platform === undefined || platform.os === 'unknown' || platform.architecture === 'unknown') continue;
    if (annotations?.['vnd.docker.reference.type'] !== undefined || isIndex(mediaType)) continue;
    const name = platformOf(platform);
    if (!found.has(name)) found.set(name, manifest);
  }
  return found;
}
