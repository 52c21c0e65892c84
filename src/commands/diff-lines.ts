import type { ConfigChange } from '../domain/content-diff.ts';
import { shortDigest } from '../domain/digest.ts';
import {
  type ChangedPlatform,
  type FolderDiff,
  groupByFolder,
  type ImageDiff,
  type LayerSize,
  type PlatformDiff,
} from '../domain/image-diff.ts';
import { formatBytes } from '../domain/size.ts';
import type { Finding } from '../domain/verdict.ts';

/** A diff as a person reads it in a terminal. `--json` has all of it. */
export function diffLines({ before, after, platforms }: ImageDiff): string[] {
  const lines = [
    `before: ${before.name} (${shortDigest(before.digest)})`,
    `after:  ${after.name} (${shortDigest(after.digest)})`,
    ...platforms.flatMap((platform) => ['', ...platformLines(platform)]),
  ];
  // Names of files are those of others: nothing in them shall steer a terminal
  return lines.map((line) => line.replace(/\p{Cc}/gu, '?'));
}

const ONLY = {
  same: 'the same digest',
  added: 'only in the image after',
  removed: 'only in the image before',
} as const;

/** One sentence about a platform. */
export function headOf(diff: PlatformDiff): string {
  const { platform } = diff;
  if (diff.state !== 'changed') return `${platform}: ${ONLY[diff.state]}`;
  if (!diff.sameContent) return `${platform}: ${sizeChange(diff)}`;
  const { length } = diff.files.ignored;
  return `${platform}: the same content, only times${length > 0 ? ' and files that do not count' : ''} differ`;
}

function sizeChange({ layers: { size } }: ChangedPlatform): string {
  const delta = size.after - size.before;
  const sign = delta < 0 ? '-' : '+';
  return `${formatBytes(size.before)} → ${formatBytes(size.after)} (${sign}${formatBytes(Math.abs(delta))})`;
}

const MAX_LINES = 40;

function platformLines(diff: PlatformDiff): string[] {
  if (diff.state !== 'changed') return [headOf(diff)];
  const { packages, vulnerabilities, files, config, layers, notes } = diff;
  const { added, removed, changed, ignored } = files;
  const counts = `files (${added.length} added, ${removed.length} removed, ${changed.length} changed)`;
  const packageLines = packages.changes.map(({ name, before, after }) => `${name} ${before ?? '–'} → ${after ?? '–'}`);
  return [
    headOf(diff),
    ...section('packages', packageLines),
    ...section('vulnerabilities fixed', (vulnerabilities?.fixed ?? []).map(findingLine)),
    ...section('vulnerabilities new', (vulnerabilities?.added ?? []).map(findingLine)),
    ...section(counts, groupByFolder(files).map(folderLine)),
    ...section('files that do not count', ignored),
    ...section('config', config.map(configLine)),
    ...(layers.before.length + layers.after.length === 0
      ? []
      : section(`layers above ${layers.common.count} common ones (${formatBytes(layers.common.size)})`, [
          ...layers.before.map((layer) => `- ${layerLine(layer)}`),
          ...layers.after.map((layer) => `+ ${layerLine(layer)}`),
        ])),
    ...notes.map((note) => `  ${note}`),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length > MAX_LINES ? [`    … and ${lines.length - MAX_LINES} more; --json has all`] : [];
  return [`  ${title}:`, ...lines.slice(0, MAX_LINES).map((line) => `    ${line}`), ...more];
}

export function findingLine({ id, severity, source, installed }: Finding): string {
  return `${id} (${severity}) in ${source} ${installed}`;
}

const NAMED = 6;

/** `/etc: 2 changed, 1 added: motd (mode), passwd, x (added)`. */
export function folderLine({ folder, names, added, removed, changed }: FolderDiff): string {
  const counts = [
    ...(changed > 0 ? [`${changed} changed`] : []),
    ...(added > 0 ? [`${added} added`] : []),
    ...(removed > 0 ? [`${removed} removed`] : []),
  ];
  const more = names.length > NAMED ? ', …' : '';
  return `${folder}: ${counts.join(', ')}: ${names.slice(0, NAMED).join(', ')}${more}`;
}

export function configLine({ key, before, after }: ConfigChange): string {
  return `${key}: ${shown(before)} → ${shown(after)}`;
}

const MAX_VALUE = 60;

function shown(value: unknown): string {
  if (value === undefined) return 'not set';
  const text = JSON.stringify(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}

export function layerLine({ digest, size, createdBy }: LayerSize): string {
  const made = createdBy?.replace(/\s+/g, ' ').slice(0, MAX_VALUE);
  return `${shortDigest(digest)} ${formatBytes(size)}${made === undefined ? '' : ` ${made}`}`;
}
