import { shortDigest } from '../domain/digest.ts';
import { type ChangedPlatform, groupByFolder, type ImageDiff, type PlatformDiff } from '../domain/image-diff.ts';
import { code, inline, table } from '../domain/markdown.ts';
import { formatBytes } from '../domain/size.ts';
import { folderLine, headOf } from './diff-lines.ts';

/** A diff for a pull request or an issue. */
export function diffMarkdown({ before, after, platforms }: ImageDiff): string {
  const names = [before, after].map(({ name, digest }) => `${code(name)} (${code(shortDigest(digest))})`);
  return [`## ${names.join(' → ')}`, ...platforms.flatMap(platformSections)].join('\n\n');
}

function platformSections(diff: PlatformDiff): string[] {
  const head = `### ${inline(headOf(diff))}`;
  return diff.state === 'changed' ? [head, ...sections(diff)] : [head];
}

function sections({ packages, vulnerabilities, files, config, layers, notes }: ChangedPlatform): string[] {
  const findings = [
    ...(vulnerabilities?.fixed ?? []).map((finding) => ['fixed', finding] as const),
    ...(vulnerabilities?.added ?? []).map((finding) => ['new', finding] as const),
  ];
  const changed = [
    ...layers.before.map((layer) => ['before', layer] as const),
    ...layers.after.map((layer) => ['after', layer] as const),
  ];
  const parts: [string, string[], string[][]][] = [
    [
      'Packages',
      ['package', 'before', 'after'],
      packages.changes.map((each) => cells(each.name, each.before, each.after)),
    ],
    [
      'Vulnerabilities',
      ['', 'id', 'severity', 'source'],
      findings.map(([what, { id, severity, source }]) => [what, inline(id), severity, inline(source)]),
    ],
    [
      'Files',
      ['folder', 'what'],
      groupByFolder(files).map((each) => [code(each.folder), inline(whatOf(folderLine(each)))]),
    ],
    [
      'Config',
      ['key', 'before', 'after'],
      config.map(({ key, before, after }) => cells(key, asText(before), asText(after))),
    ],
    [
      'Layers',
      ['', 'layer', 'size', 'made by'],
      changed.map(([when, { digest, size, createdBy = '' }]) => {
        return [when, code(shortDigest(digest)), formatBytes(size), createdBy === '' ? '' : code(createdBy)];
      }),
    ],
  ];
  const shown = parts.filter(([, , rows]) => rows.length > 0);
  return [...shown.map(([title, head, rows]) => `#### ${title}\n\n${table(head, rows)}`), ...notes.map(inline)];
}

function whatOf(line: string): string {
  return line.slice(line.indexOf(': ') + 2);
}

function cells(...texts: readonly (string | undefined)[]): string[] {
  return texts.map((text) => (text === undefined ? '–' : code(text)));
}

function asText(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}
