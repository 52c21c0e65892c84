import { isSameContent } from '../domain/content-diff.ts';
import type { Digest } from '../domain/digest.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import { type ComparedContent, type CompareOptions, compareContent } from '../image/compare.ts';
import { type Registry, RegistryError } from '../registry/registry.ts';

export interface Side {
  readonly repository: Reference;
  readonly digests: Readonly<Partial<Record<Platform, Digest>>>;
}

/**
 * Platform after platform, so that one tree pair is in memory, up to the first that differs: most runs have news, and
 * reading layers is what takes time. Platforms with the same digest are passed over.
 * @returns `undefined` when one side cannot be read any more
 */
export async function comparePlatforms(
  registry: Registry,
  [before, after]: readonly [Side, Side],
  { platforms, ...options }: CompareOptions & { readonly platforms: readonly Platform[] },
): Promise<readonly ComparedContent[] | undefined> {
  const compared: ComparedContent[] = [];
  for (const platform of platforms) {
    const [old, now] = [before.digests[platform]!, after.digests[platform]!];
    if (old === now) continue;
    try {
      const pair = [atDigest(before.repository, old), atDigest(after.repository, now)] as const;
      const one = await compareContent(registry, pair, options);
      compared.push(one);
      if (!isSameContent(one.diff)) return compared;
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'missing-content') return undefined;
      throw error;
    }
  }
  return compared;
}
