import type { Digest } from './digest.ts';
import { canonicalJson } from './inputs.ts';
import { volatileAt } from './volatile.ts';

export type EntryType = 'file' | 'directory' | 'symlink' | 'character-device' | 'block-device' | 'fifo';

/** One path of an image, without its times. */
export interface ContentEntry {
  readonly type: EntryType;
  /** Permission bits with setuid, setgid and sticky: `0o4755`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Where a symlink points. */
  readonly linkname?: string;
  /** `major:minor` of a device. */
  readonly device?: string;
  /** Extended attributes by name. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Of a file's content, when it was asked for. */
  readonly digest?: Digest;
}

export type ContentFiles = ReadonlyMap<string, ContentEntry>;

/** What one platform of an image is to those who run it: files by absolute path, and its config. */
export interface Content {
  readonly files: ContentFiles;
  /** OCI image config as it is stored. */
  readonly config: Readonly<Record<string, unknown>>;
}

export type Aspect = 'content' | 'mode' | 'owner' | 'type' | 'target' | 'attributes';

export interface FileChange {
  readonly path: string;
  readonly what: readonly Aspect[];
}

export interface FilesDiff {
  /** Sorted, as all lists here. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly FileChange[];
  /** Paths that differ and do not count: see volatile.ts. */
  readonly ignored: readonly string[];
}

/** One key of the config: `Env.PATH`, `Labels.a.b`, `Cmd`, `history`. */
export interface ConfigChange {
  readonly key: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface ContentDiff {
  readonly files: FilesDiff;
  readonly config: readonly ConfigChange[];
}

/** What differs between two platform images besides times. Files that do not count are in `files.ignored` alone. */
export function diffContent(before: Content, after: Content): ContentDiff {
  return { files: diffFiles(before.files, after.files), config: diffConfig(before.config, after.config) };
}

export function diffFiles(before: ContentFiles, after: ContentFiles): FilesDiff {
  const added: string[] = [];
  const removed: string[] = [];
  const changed: FileChange[] = [];
  const ignored: string[] = [];
  for (const [path, entry] of after) {
    const old = before.get(path);
    const what = old === undefined ? [] : aspectsOf(old, entry);
    if (old !== undefined && what.length === 0) continue;
    if (isNoise(path, [old, entry], what)) ignored.push(path);
    else if (old === undefined) added.push(path);
    else changed.push({ path, what });
  }
  for (const [path, entry] of before) {
    if (!after.has(path)) (isNoise(path, [entry], []) ? ignored : removed).push(path);
  }
  changed.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { added: added.sort(), removed: removed.sort(), changed, ignored: ignored.sort() };
}

/** See volatile.ts: a log that says something else is no news, a folder for logs that is there now is. */
function isNoise(path: string, entries: readonly (ContentEntry | undefined)[], what: readonly Aspect[]): boolean {
  const volatile = volatileAt(path);
  if (volatile !== 'files') return volatile === 'all';
  return entries.every((entry) => (entry?.type ?? 'file') === 'file') && what.every((aspect) => aspect === 'content');
}

function aspectsOf(a: ContentEntry, b: ContentEntry): Aspect[] {
  if (a === b) return [];
  const content = a.type === 'file' && b.type === 'file' && (a.digest !== b.digest || a.size !== b.size);
  // Nothing looks at the mode of a symlink (symlink(7)), and tools write different ones
  const mode = a.mode !== b.mode && !(a.type === 'symlink' && b.type === 'symlink');
  const differs: Readonly<Record<Aspect, boolean>> = {
    type: a.type !== b.type,
    content,
    target: a.linkname !== b.linkname || a.device !== b.device,
    mode,
    owner: a.uid !== b.uid || a.gid !== b.gid,
    attributes: !haveSameAttributes(a, b),
  };
  return (Object.keys(differs) as Aspect[]).filter((aspect) => differs[aspect]);
}

/**
 * Values are bytes that come as UTF-8. Some of file capabilities are not (`cap_setuid` alone): what stands for them is
 * the same for all, so that two such values are never known to be the same.
 */
export function haveSameAttributes(a: Pick<ContentEntry, 'attributes'>, b: Pick<ContentEntry, 'attributes'>): boolean {
  if (a.attributes === undefined && b.attributes === undefined) return true;
  const text = canonicalJson(a.attributes ?? {});
  return text === canonicalJson(b.attributes ?? {}) && !text.includes('\uFFFD');
}

/** Times, layers, and what builders note about themselves. */
const NOT_CONTENT = /^(created|rootfs|id|parent|container|container_config|docker_version|moby\.buildkit\..*)$/;

export function diffConfig(before: Content['config'], after: Content['config']): readonly ConfigChange[] {
  const [old, now] = [flatten(before), flatten(after)];
  const keys = [...new Set([...old.keys(), ...now.keys()])].sort();
  return keys.flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)];
    if (canonicalJson(was) === canonicalJson(is)) return [];
    return [{ key, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }];
  });
}

function flatten(config: Content['config']): ReadonlyMap<string, unknown> {
  const flat = new Map<string, unknown>();
  for (const [key, value] of Object.entries(config)) {
    if (NOT_CONTENT.test(key)) continue;
    if (key === 'history') flat.set(key, withoutTimes(value));
    else if (key === 'config') for (const each of executionOf(value)) flat.set(...each);
    else flat.set(key, value);
  }
  for (const [key, value] of flat) if (isUnset(value)) flat.delete(key);
  return flat;
}

function executionOf(value: unknown): [string, unknown][] {
  return Object.entries(isRecord(value) ? value : {}).flatMap(([key, part]): [string, unknown][] => {
    if (key === 'Labels' && isRecord(part)) return Object.entries(part).map(([name, text]) => [`Labels.${name}`, text]);
    if (key === 'Env' && Array.isArray(part)) return part.map((text) => variableOf(String(text)));
    return [[key, part]];
  });
}

function variableOf(text: string): [string, string] {
  const [name = ''] = text.split('=', 1);
  return [`Env.${name}`, text.slice(name.length + 1)];
}

function withoutTimes(history: unknown): unknown {
  if (!Array.isArray(history)) return history;
  return history.map((entry) => (isRecord(entry) ? { ...entry, created: undefined } : entry));
}

/** Docker writes `null`, `""`, `false` and `[]` for what others leave out; an empty label or variable is one. */
function isUnset(value: unknown): boolean {
  return value === null || value === undefined || value === false || (Array.isArray(value) && value.length === 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True when nothing differs that counts. */
export function isSameContent({ files, config }: ContentDiff): boolean {
  return files.added.length + files.removed.length + files.changed.length + config.length === 0;
}

/** `/etc/build-date`, `/etc/x (mode)`, `/opt/new (added)`, `config Env.PATH`. */
export function listDifferences({ files, config }: ContentDiff): readonly string[] {
  return [
    ...files.changed.map(({ path, what }) => (what.join() === 'content' ? path : `${path} (${what.join(', ')})`)),
    ...files.added.map((path) => `${path} (added)`),
    ...files.removed.map((path) => `${path} (removed)`),
    ...config.map(({ key }) => `config ${key}`),
  ];
}

/** The same as one text, at most `limit` of them, `and 12 more`. */
export function explainDifference(diff: ContentDiff, limit = 5): string {
  const all = listDifferences(diff);
  const more = all.length > limit ? ` and ${all.length - limit} more` : '';
  return `${all.slice(0, limit).join(', ')}${more}`;
}
