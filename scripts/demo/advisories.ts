import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';
import { compareDebianVersions } from './debian-version.ts';

/** A source package as installed, and the changelog of a newer version of it. */
export interface UpdatedPackage {
  readonly source: string;
  /** Version of the source package. */
  readonly installedVersion: string;
  /** Content of `usr/share/doc/<package>/changelog.Debian.gz`, unpacked. */
  readonly changelogText: string;
}

/** What advdb reads, one a line (tools/scan/advdb). */
export interface Advisory {
  readonly ID: string;
  /** `debian:12` */
  readonly Distro: string;
  readonly Package: string;
  readonly Fixed: string;
  readonly Severity: 'Critical' | 'High' | 'Medium' | 'Low';
  /** `YYYY-MM-DD` */
  readonly FixedAt: string;
  readonly Description: string;
}

/**
 * What a distribution says of the vulnerabilities that its newer packages fix: each CVE id that a changelog names above
 * the installed version, fixed by the oldest entry that names it. The urgency is all the severity that it tells.
 */
export function advisoriesFromChangelogs(packages: readonly UpdatedPackage[], distro: string): readonly Advisory[] {
  const advisories = packages.flatMap(({ source, installedVersion, changelogText }) =>
    parseChangelog(changelogText)
      .filter(({ version }) => compareDebianVersions(version, installedVersion) > 0)
      .sort((a, b) => compareDebianVersions(b.version, a.version))
      .flatMap((entry) => vulnerabilitiesIn(entry.text).map((ID) => toAdvisory(ID, entry, { source, distro }))),
  );
  const oldest = new Map(advisories.map((advisory) => [`${advisory.ID} ${advisory.Package}`, advisory]));
  return [...oldest.values()].sort((a, b) => (`${a.ID} ${a.Package}` < `${b.ID} ${b.Package}` ? -1 : 1));
}

interface ChangelogEntry {
  readonly version: string;
  readonly urgency: string;
  /** `YYYY-MM-DD`, UTC. */
  readonly date: string;
  readonly text: string;
}

const HEADER = /^\S+ \(([^)\s]+)\)[^;\n]*;[^\n]*?urgency=(\w+)/i;
const TRAILER = /^ -- .*> {2}(.+)$/;

/** deb-changelog(5); what stands between is kept as it is. */
export function parseChangelog(text: string): readonly ChangelogEntry[] {
  const entries: ChangelogEntry[] = [];
  let open: { version: string; urgency: string; lines: string[] } | undefined;
  for (const line of text.split('\n')) {
    const [, version, urgency] = HEADER.exec(line) ?? [];
    const date = TRAILER.exec(line)?.[1];
    if (version !== undefined && urgency !== undefined) open = { version, urgency: urgency.toLowerCase(), lines: [] };
    else if (date === undefined) open?.lines.push(line);
    else if (open !== undefined && !Number.isNaN(Date.parse(date))) {
      const { lines, ...entry } = open;
      entries.push({ ...entry, date: new Date(date).toISOString().slice(0, 10), text: lines.join('\n').trim() });
      open = undefined;
    }
  }
  return entries;
}

function vulnerabilitiesIn(text: string): string[] {
  return [...new Set(text.match(/\bCVE-\d{4}-\d{4,}\b/g) ?? [])];
}

const SEVERITIES: Readonly<Record<string, Advisory['Severity']>> = {
  low: 'Low',
  medium: 'Medium',
  high: 'High',
  emergency: 'Critical',
  critical: 'Critical',
};

function toAdvisory(
  ID: string,
  entry: ChangelogEntry,
  { source, distro }: { source: string; distro: string },
): Advisory {
  const { version, urgency, date, text } = entry;
  const item = text.split(/\n\s*\n|\n(?= {2,4}[*+-] )/).find((part) => part.includes(ID)) ?? '';
  return {
    ID,
    Distro: distro,
    Package: source,
    Fixed: version,
    Severity: SEVERITIES[urgency] ?? 'Medium',
    FixedAt: date,
    Description: item
      .replace(/\s+/g, ' ')
      .replace(/^[*+\s-]+/, '')
      .slice(0, 300),
  };
}

/** Makes a grype database of advisories in an empty folder, with advdb; path of the archive to import. */
export async function buildDatabase(
  advisories: readonly Advisory[],
  outDir: string,
  { advdb }: { advdb: string },
): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'ingot-advisories-'));
  try {
    const input = advisories.map((advisory) => `${JSON.stringify(advisory)}\n`).join('');
    const { exitCode, stdout, stderr } = await exec(advdb, [work, outDir], { input });
    if (exitCode !== 0) throw new Error(`advdb failed: ${stderr.trim().slice(-500)}`);
    return stdout.toString('utf8').trim();
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
