import type { Digest } from '../../src/domain/digest.ts';
import { atDigest, atTag, type Reference } from '../../src/domain/reference.ts';
import { childDigests } from '../../src/flows/releases.ts';
import { parseManifest } from '../../src/registry/manifest.ts';
import type { Registry } from '../../src/registry/registry.ts';

/** Everything that a consumer can see of an image, signature bytes and times apart. */
export async function contentsOf(registry: Registry, repository: Reference): Promise<unknown> {
  const tags = (await registry.tags(repository)).filter((tag) => !tag.startsWith('sha256-'));
  const indexes = await Promise.all(tags.map((tag) => registry.manifest(atTag(repository, tag))));
  const releases = indexes.map((stored, position) => {
    const index = parseManifest(stored!.bytes, 'an index');
    const { 'org.opencontainers.image.created': _, ...annotations } = index.annotations ?? {};
    return { tag: tags[position]!, digest: stored!.descriptor.digest, platforms: childDigests(index), annotations };
  });
  const distinct = [...new Map(releases.map((release) => [release.digest, release])).values()];
  const attached = await Promise.all(
    distinct.map(async ({ digest, platforms }) => ({
      index: await attachments(registry, repository, digest),
      platforms: await Promise.all(Object.values(platforms).map((child) => attachments(registry, repository, child!))),
    })),
  );
  const numbers = new Map(distinct.map(({ digest }, position) => [digest, position]));
  return { releases: releases.map(({ digest, ...rest }) => ({ ...rest, release: numbers.get(digest) })), attached };
}

async function attachments(registry: Registry, repository: Reference, digest: Digest) {
  const referrers = await registry.referrers(atDigest(repository, digest));
  const kinds = referrers.map(
    ({ artifactType, annotations }) => `${artifactType} ${annotations?.['dev.sigstore.bundle.predicateType'] ?? ''}`,
  );
  const legacy = await registry.manifest(atTag(repository, `${digest.replace(':', '-')}.sig`));
  return {
    kinds: kinds.sort(),
    signatures: legacy === undefined ? 0 : parseManifest(legacy.bytes, 'a signature').layers?.length,
  };
}
