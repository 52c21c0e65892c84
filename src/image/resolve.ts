import type { Digest } from '../domain/digest.ts';
import { type Platform, platformOf } from '../domain/platform.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import { type Call, type Descriptor, isIndex, type Manifest, type Registry } from '../registry/registry.ts';
import { readConfig } from './config.ts';

export interface ResolvedImage {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly platforms: Readonly<Partial<Record<Platform, Descriptor>>>;
  readonly created?: string;
}
export async function resolveImage(
  registry: Registry,
  reference: Reference,
  platforms: readonly Platform[],
  call: Call = {},
): Promise<ResolvedImage | undefined> {
  const stored = await registry.manifest(reference, call);
  if (stored === undefined) return undefined;
  const { digest, mediaType } = stored.descriptor;
  const manifest = JSON.parse(Buffer.from(stored.bytes).toString('utf8')) as Manifest;
  if (!isIndex(mediaType)) {
    const { config } = await readConfig(registry, atDigest(reference, digest), call);
    const platform = platformOf(config);
    return {
      digest,
      mediaType,
      platforms: platforms.includes(platform) ? { [platform]: stored.descriptor } : {},
      ...(config.created && { created: config.created }),
    };
  }
  const children = (manifest.manifests ?? []).filter(
    (child) => child.platform !== undefined && child.annotations?.['vnd.docker.reference.type'] === undefined,
  );
  const found = Object.fromEntries(
    children
      .map((child) => [platformOf(child.platform!), child] as const)
      .filter(([platform]) => platforms.includes(platform)),
  );
  const first = Object.values(found)[0] as Descriptor | undefined;
  const created = first && (await readConfig(registry, atDigest(reference, first.digest), call)).config.created;
  return { digest, mediaType, platforms: found, ...(created && { created }) };
}
