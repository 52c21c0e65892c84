import type { ConfigChange, FilesDiff } from './content-diff.ts';
import type { FindingsChange, PackageChange } from './diff.ts';
import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** What differs between two images. */
export interface ImageDiff {
  readonly before: ImageSide;
  readonly after: ImageSide;
  /** In the order of names. */
  readonly platforms: readonly PlatformDiff[];
}

export interface ImageSide {
  /** As a person wrote it. */
  readonly name: string;
  /** Full reference. */
  readonly reference: string;
  readonly digest: Digest;
}

export type PlatformDiff =
  | { readonly platform: Platform; readonly state: 'same' | 'added' | 'removed'; readonly digest: Digest }
  | ChangedPlatform;

/** A platform that has another digest. */
export interface ChangedPlatform {
  readonly platform: Platform;
  readonly state: 'changed';
  readonly before: Digest;
  readonly after: Digest;
  /** Nothing differs that counts: a rebuild of it would publish nothing. */
  readonly sameContent: boolean;
  readonly files: FilesDiff;
  readonly config: readonly ConfigChange[];
  readonly layers: LayersDiff;
  /** Packages by the SBOMs of both, or when one has none by the package managers' own files. */
  readonly packages: { readonly from: 'sbom' | 'files'; readonly changes: readonly PackageChange[] };
  /** As known today; absent when one has no SBOM, or nothing could be looked up. */
  readonly vulnerabilities?: Pick<FindingsChange, 'fixed' | 'added'>;
  /** What could not be found out. */
  readonly notes: readonly string[];
}

/** Layers that both begin with, and those above. Sizes are compressed bytes. */
export interface LayersDiff {
  readonly size: { readonly before: number; readonly after: number };
  readonly common: { readonly count: number; readonly size: number };
  readonly before: readonly LayerSize[];
  readonly after: readonly LayerSize[];
}

export interface LayerSize {
  readonly digest: Digest;
  readonly size: number;
  /** The instruction that made it, when the config tells. */
  readonly createdBy?: string;
}

export function diffLayers(before: readonly LayerSize[], after: readonly LayerSize[]): LayersDiff {
  const differs = before.findIndex(({ digest }, index) => digest !== after[index]?.digest);
  const count = differs === -1 ? before.length : differs;
  return {
    size: { before: sizeOf(before), after: sizeOf(after) },
    common: { count, size: sizeOf(before.slice(0, count)) },
    before: before.slice(count),
    after: after.slice(count),
  };
}

function sizeOf(layers: readonly LayerSize[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** Layers with what made them: entries of the history that made no layer are passed over (image-spec v1.1 config.md). */
export function nameLayers(
  layers: readonly { readonly digest: Digest; readonly size: number }[],
  history: unknown,
): readonly LayerSize[] {
  const entries: readonly { created_by?: unknown; empty_layer?: unknown }[] = Array.isArray(history) ? history : [];
  const made = entries.filter((entry) => entry?.empty_layer !== true);
  return layers.map(({ digest, size }, index) => {
    const createdBy = made.length === layers.length ? made[index]?.created_by : undefined;
    return { digest, size, ...(typeof createdBy === 'string' && { createdBy }) };
  });
}

/** How many files of one folder differ, with all below it. */
export interface FolderDiff {
  readonly folder: string;
  /** `passwd`, `motd (mode)`, `new (added)`: relative to the folder, sorted. */
  readonly names: readonly string[];
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

/** Groups files by folder, as deep as makes no more than `limit` folders. */
export function groupByFolder({ added, removed, changed }: FilesDiff, limit = 15): readonly FolderDiff[] {
  const all = [
    ...added.map((path) => ({ path, kind: 'added' as const, more: ' (added)' })),
    ...removed.map((path) => ({ path, kind: 'removed' as const, more: ' (removed)' })),
    ...changed.map(({ path, what }) => ({ path, kind: 'changed' as const, more: aspects(what) })),
  ];
  const grouped = (depth: number) => Map.groupBy(all, ({ path }) => folderOf(path, depth));
  const depth = [8, 6, 5, 4, 3, 2].find((each) => grouped(each).size <= limit) ?? 1;
  const folders = [...grouped(depth)].map(([folder, files]) => ({
    folder,
    names: files.map(({ path, more }) => `${path.slice(folder === '/' ? 1 : folder.length + 1)}${more}`).sort(),
    added: files.filter(({ kind }) => kind === 'added').length,
    removed: files.filter(({ kind }) => kind === 'removed').length,
    changed: files.filter(({ kind }) => kind === 'changed').length,
  }));
  return folders.sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

function aspects(what: readonly string[]): string {
  return what.join() === 'content' ? '' : ` (${what.join(', ')})`;
}

function folderOf(path: string, depth: number): string {
  const parts = path.split('/').slice(1, -1).slice(0, depth);
  return `/${parts.join('/')}`;
}
