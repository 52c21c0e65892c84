import type { Severity } from '../domain/fleet/model.ts';
import type { Finding } from '../domain/verdict.ts';

/** One binary package matched with one vulnerability, as grype tells. */
export interface Match {
  readonly vulnerability: {
    readonly id: string;
    readonly severity: string;
    readonly dataSource?: string | undefined;
    readonly fix?:
      | {
          readonly versions?: readonly string[] | null | undefined;
          readonly state: string;
          readonly available?: readonly { readonly date: string }[] | null | undefined;
        }
      | undefined;
    /** Entries of the catalogue of vulnerabilities that are known to be exploited (CISA KEV). */
    readonly knownExploited?: readonly unknown[] | null | undefined;
  };
  readonly artifact: {
    readonly name: string;
    readonly version: string;
    readonly upstreams?: readonly { readonly name: string; readonly version?: string | undefined }[] | null | undefined;
  };
}

/** From the worst on. */
const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'];

/** One finding per vulnerability and source package: a source is fixed once, however many binary packages it makes. */
export function groupMatches(matches: readonly Match[]): readonly Finding[] {
  const groups = Map.groupBy(
    matches,
    ({ vulnerability, artifact }) => `${vulnerability.id}\0${sourceOf(artifact).name}`,
  );
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => toFinding(group));
}

function toFinding(group: readonly Match[]): Finding {
  const { vulnerability, artifact } = group[0]!;
  const { name, version } = sourceOf(artifact);
  const severities = group.map((match) => severityOf(match.vulnerability.severity));
  return {
    id: vulnerability.id,
    severity: SEVERITIES.find((severity) => severities.includes(severity)) ?? 'unknown',
    source: name,
    packages: unique(group.map((match) => match.artifact.name)),
    installed: version,
    fix: fixOf(group),
    ...(group.some((match) => match.vulnerability.knownExploited?.length) && { exploited: true }),
    ...(vulnerability.dataSource ? { url: vulnerability.dataSource } : {}),
  };
}

function sourceOf({ name, version, upstreams }: Match['artifact']): { name: string; version: string } {
  const [upstream] = upstreams ?? [];
  return { name: upstream?.name ?? name, version: upstream?.version || version };
}

function severityOf(text: string): Severity {
  const severity = text.toLowerCase();
  return SEVERITIES.find((known) => known === severity) ?? 'unknown';
}

const STATES = ['fixed', 'not-fixed', 'wont-fix'] as const;

function fixOf(group: readonly Match[]): Finding['fix'] {
  const fixes = group.map(({ vulnerability }) => vulnerability.fix);
  const dates = fixes.flatMap((fix) => fix?.available ?? []).map(({ date }) => date);
  return {
    state: STATES.find((state) => fixes.some((fix) => fix?.state === state)) ?? 'unknown',
    versions: unique(fixes.flatMap((fix) => fix?.versions ?? [])),
    ...(dates.length === 0 ? {} : { since: dates.sort()[0]! }),
  };
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
