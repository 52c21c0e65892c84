import type { Finding, Package } from './verdict.ts';

/** One package of one image, before and after. Absent: it is not in there. */
export interface PackageChange {
  readonly name: string;
  readonly type: string;
  /** Versions, several only when the image holds several. */
  readonly before?: string;
  readonly after?: string;
}

/** What changed among packages, sorted by name. A version that is in both is no change. */
export function diffPackages(before: readonly Package[], after: readonly Package[]): readonly PackageChange[] {
  const [old, now] = [versionsOf(before), versionsOf(after)];
  const keys = [...new Set([...old.keys(), ...now.keys()])].sort();
  return keys.flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)];
    if (was?.versions === is?.versions) return [];
    const { name, type } = (is ?? was)!;
    return [{ name, type, ...(was ? { before: was.versions } : {}), ...(is ? { after: is.versions } : {}) }];
  });
}

function versionsOf(packages: readonly Package[]): Map<string, { name: string; type: string; versions: string }> {
  const grouped = Map.groupBy(packages, ({ name, type }) => `${name}\0${type}`);
  return new Map(
    [...grouped].map(([key, group]) => {
      const { name, type } = group[0]!;
      return [key, { name, type, versions: [...new Set(group.map(({ version }) => version))].sort().join(', ') }];
    }),
  );
}

export interface FindingsChange {
  /** In the old image and no longer in the new one. */
  readonly fixed: readonly Finding[];
  /** In the new image and not in the old one. */
  readonly added: readonly Finding[];
  readonly remaining: readonly Finding[];
}

const ORDER = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const;

/** What changed among vulnerabilities, one by id and source package; the worst first. */
export function diffFindings(before: readonly Finding[], after: readonly Finding[]): FindingsChange {
  const [old, now] = [new Map(before.map(keyed)), new Map(after.map(keyed))];
  const pick = (from: Map<string, Finding>, wanted: (key: string) => boolean) =>
    [...from]
      .filter(([key]) => wanted(key))
      .map(([, finding]) => finding)
      .sort(bySeverity);
  return {
    fixed: pick(old, (key) => !now.has(key)),
    added: pick(now, (key) => !old.has(key)),
    remaining: pick(now, (key) => old.has(key)),
  };
}

function keyed(finding: Finding): [string, Finding] {
  return [`${finding.id} ${finding.source}`, finding];
}

function bySeverity(a: Finding, b: Finding): number {
  return ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
