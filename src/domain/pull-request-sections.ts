import { diffPackages, type FindingsChange, type PackageChange } from './diff.ts';
import type { Deprecation } from './fleet/deprecated.ts';
import type { ImageContent } from './image-content.ts';
import { code, inline, link, table } from './markdown.ts';
import type { Platform } from './platform.ts';
import { formatBytes } from './size.ts';
import type { Finding } from './verdict.ts';

const UNKNOWN = 'What was in the old one is not to be had any more, so that nothing can be compared.';

/** What is fixed and what is new, by id. */
export function vulnerabilitiesSection(changes: FindingsChange | undefined): string {
  if (changes === undefined) return `### Vulnerabilities\n\n${UNKNOWN}`;
  const { fixed, added, remaining } = changes;
  const parts = [
    ...(fixed.length === 0 ? [] : [`Fixed:\n\n${findingsTable(fixed, 40)}`]),
    ...(added.length === 0 ? [] : [`New:\n\n${findingsTable(added, 40)}`]),
    ...(fixed.length + added.length === 0 ? ['None fixed, none new.'] : []),
    ...(remaining.length === 0 ? [] : [`${new Set(remaining.map(({ id }) => id)).size} known ones are in both.`]),
  ];
  return `### Vulnerabilities\n\n${parts.join('\n\n')}`;
}

function findingsTable(findings: readonly Finding[], limit: number): string {
  const rows = findings.map(({ id, severity, source, fix, url }) => [
    link(inline(id), url),
    severity,
    code(source),
    fix.versions.length === 0 ? '' : code(fix.versions.join(', ')),
  ]);
  return table(['id', 'severity', 'package', 'fixed in'], rows, limit);
}

/** What a team has to know before it builds more on an image that ends. Empty for one that does not. */
export function deprecationSection(image: string, deprecated: Deprecation | undefined): string {
  if (deprecated === undefined) return '';
  const { date, successor, why } = deprecated;
  const ends = `**${inline(image)}** is rebuilt until ${date} and not after that${why === undefined ? '' : `: ${inline(why)}`}.`;
  const next = successor === undefined ? '' : ` ${code(successor)} takes its place: move there before.`;
  return `### End of life\n\n${ends}${next}`;
}

/** What is the same on all platforms once, the rest by platform. */
export function packagesSection(before: ImageContent | undefined, after: ImageContent | undefined): string {
  if (before === undefined || after === undefined) return '';
  const platforms = Object.keys(after).filter((platform) => platform in before) as Platform[];
  const changes = platforms.map((platform) => diffPackages(before[platform]!.packages, after[platform]!.packages));
  const keys = changes.map((list) => new Set(list.map(keyOf)));
  const everywhere = new Set([...(keys[0] ?? [])].filter((key) => keys.every((each) => each.has(key))));
  const common = (changes[0] ?? []).filter((change) => everywhere.has(keyOf(change)));
  const parts = platforms.flatMap((platform, index) => {
    const own = changes[index]!.filter((change) => !everywhere.has(keyOf(change)));
    return own.length === 0 ? [] : [`On ${platform} alone:\n\n${packagesTable(own, 30)}`];
  });
  const where = platforms.length > 1 ? `The same on ${platforms.join(' and ')}:\n\n` : '';
  const all = [...(common.length === 0 ? [] : [`${where}${packagesTable(common, 100)}`]), ...parts];
  return `### Packages\n\n${all.length === 0 ? 'No package changed.' : all.join('\n\n')}`;
}

function keyOf({ name, type, before, after }: PackageChange): string {
  return JSON.stringify([name, type, before, after]);
}

function packagesTable(changes: readonly PackageChange[], limit: number): string {
  const rows = changes.map(({ name, before, after }) => [
    code(name),
    before === undefined ? 'added' : code(before),
    after === undefined ? 'removed' : code(after),
  ]);
  return table(['package', 'old', 'new'], rows, limit);
}

/** Compressed size by platform. */
export function sizeSection(before: ImageContent | undefined, after: ImageContent | undefined): string {
  if (after === undefined) return '';
  const rows = Object.entries(after).map(([platform, content]) => {
    const old = before?.[platform as Platform]?.size;
    const change = old === undefined || old === 0 ? '' : percent(content!.size / old - 1);
    return [platform, old === undefined ? 'not known' : formatBytes(old), formatBytes(content!.size), change];
  });
  return `### Size\n\n${table(['platform', 'old', 'new', ''], rows)}`;
}

function percent(share: number): string {
  const text = `${(share * 100).toFixed(1)} %`;
  return share > 0 ? `+${text}` : text;
}
