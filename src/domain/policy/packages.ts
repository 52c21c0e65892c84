import type { Platform } from '../platform.ts';
import type { Package, PolicyFinding } from '../verdict.ts';
import type { PolicyCheck } from './check.ts';

/**
 * The same source packages in the same versions on all platforms. Source, because the names of binary packages
 * differ by architecture; without `+bN`, because a rebuild of one architecture is no other version (decisions 6).
 */
export const packagesCheck: PolicyCheck = {
  id: 'packages',
  run({ platforms }, { packages: level, perPlatformPackages = [] }) {
    if (level === 'off' || platforms.length < 2) return [];
    const bySource = new Map<string, Map<Platform, string>>();
    for (const { platform, packages } of platforms)
      for (const [source, versions] of versionsOf(packages))
        bySource.set(source, (bySource.get(source) ?? new Map()).set(platform, versions));
    const everywhere = platforms.map(({ platform }) => platform);
    return [...bySource]
      .filter(([source]) => !perPlatformPackages.includes(source))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([source, versions]): PolicyFinding[] => {
        const message = explainDifference(source, versions, everywhere);
        const finding = { check: 'packages', level, subject: 'packages', package: source };
        return message === undefined ? [] : [{ ...finding, message }];
      });
  },
};

/** Source name to its versions, sorted and joined: an image may hold two versions of one source. */
function versionsOf(packages: readonly Package[]): Map<string, string> {
  const versions = new Map<string, Set<string>>();
  for (const { source, sourceVersion } of packages)
    versions.set(source, (versions.get(source) ?? new Set()).add(sourceVersion.replace(/\+b\d+$/, '')));
  return new Map([...versions].map(([source, set]) => [source, [...set].sort().join(', ')]));
}

function explainDifference(
  source: string,
  versions: ReadonlyMap<Platform, string>,
  platforms: readonly Platform[],
): string | undefined {
  const missing = platforms.filter((platform) => !versions.has(platform));
  if (missing.length === 0 && new Set(versions.values()).size === 1) return undefined;
  const each = platforms.map((platform) => `${versions.get(platform) ?? 'absent'} on ${platform}`);
  return `${source} differs by platform: ${each.join(', ')}`;
}
