import { posix } from 'node:path';
import type { ContentEntry } from '../domain/content-diff.ts';

/** One path of an image, as a container would see it. */
export interface TreeEntry extends ContentEntry {
  /** Of files that were wanted and not too large. */
  readonly content?: Uint8Array;
}

/** By absolute path (`/etc/passwd`), without the root itself. */
export type Tree = ReadonlyMap<string, TreeEntry>;

/** A change that a layer makes (OCI image-spec v1.1 layer.md, Change Types). Paths are absolute. */
export type Change =
  | { readonly kind: 'add'; readonly path: string; readonly entry: TreeEntry }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'opaque'; readonly path: string };

/** Linux gives up after as many. */
const MAX_LINKS = 40;

/** Changes a tree by one layer. What a layer removes is of the layers below, wherever it stands in the layer. */
export function applyLayer(tree: Map<string, TreeEntry>, changes: readonly Change[]): void {
  const removed = new Set<string>();
  const opaque = new Set<string>();
  for (const { kind, path } of changes) {
    if (kind === 'remove') removed.add(throughParents(tree, path));
    if (kind === 'opaque') opaque.add(resolvePath(tree, path) ?? path);
  }
  if (removed.size + opaque.size > 0) {
    for (const path of tree.keys()) if (isHidden(path, removed, opaque)) tree.delete(path);
  }
  const places = createPlaces(tree);
  for (const change of changes) {
    if (change.kind === 'add') put(tree, places.of(change.path), change.entry);
    if (change.kind === 'link') {
      const target = tree.get(places.of(change.target));
      if (target !== undefined) put(tree, places.of(change.path), target);
    }
    if (change.kind === 'link' || (change.kind === 'add' && change.entry.type !== 'file')) places.forget();
  }
}

/** As `throughParents`, and remembers the last folder without links: archives have the files of one together. */
function createPlaces(tree: Tree) {
  let plain: string | undefined;
  return {
    of(path: string): string {
      const parent = posix.dirname(path);
      if (parent === plain) return path;
      const place = throughParents(tree, path);
      if (place === path) plain = parent;
      return place;
    },
    forget() {
      plain = undefined;
    },
  };
}

function isHidden(path: string, removed: ReadonlySet<string>, opaque: ReadonlySet<string>): boolean {
  if (removed.has(path)) return true;
  for (let parent = posix.dirname(path); ; parent = posix.dirname(parent)) {
    if (removed.has(parent) || opaque.has(parent)) return true;
    if (parent === '/') return false;
  }
}

/** What is not a directory any more has nothing below it. */
function put(tree: Map<string, TreeEntry>, path: string, entry: TreeEntry): void {
  if (tree.get(path)?.type === 'directory' && entry.type !== 'directory') {
    for (const other of tree.keys()) if (other.startsWith(`${path}/`)) tree.delete(other);
  }
  tree.set(path, entry);
}

/** A layer that writes /bin/x where /bin is a symlink to usr/bin writes /usr/bin/x, as runtimes unpack it. */
function throughParents(tree: Tree, path: string): string {
  const parent = posix.dirname(path);
  const real = resolvePath(tree, parent) ?? parent;
  // The same string where it can be: a tree of many files is mostly their names
  return real === parent ? path : posix.join(real, posix.basename(path));
}

/** The entry that a path leads to, through symlinks; `undefined` when it leads nowhere. */
export function lookup(tree: Tree, path: string): TreeEntry | undefined {
  const real = resolvePath(tree, path);
  return real === undefined ? undefined : tree.get(real);
}

/** The path without symlinks; parts that do not exist stay as they are. `undefined`: links that never end. */
export function resolvePath(tree: Tree, path: string): string | undefined {
  const parts = partsOf(path);
  let real = '/';
  let links = 0;
  while (parts.length > 0) {
    const part = parts.shift()!;
    if (part === '..') {
      real = posix.dirname(real);
      continue;
    }
    const next = real === '/' ? `/${part}` : `${real}/${part}`;
    const entry = tree.get(next);
    if (entry?.type !== 'symlink') {
      real = next;
      continue;
    }
    if (++links > MAX_LINKS) return undefined;
    const target = entry.linkname ?? '';
    if (target.startsWith('/')) real = '/';
    parts.unshift(...partsOf(target));
  }
  return real;
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
