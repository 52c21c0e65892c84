import type { Piece } from '../../dockerfile/expand.ts';

/** A document as YAML or JSON gives it, aliases and merges followed, with where its characters stand. */
export type DataNode = DataScalar | DataMap | DataList;

interface InFile {
  /** UTF-16 offsets in the file, end exclusive. */
  readonly start: number;
  readonly end: number;
}

export interface DataScalar extends InFile {
  readonly kind: 'scalar';
  readonly text: string;
  /** Where the characters of `text` stand; glue for those that stand nowhere as they are. */
  readonly pieces: readonly Piece[];
  /** Why its characters cannot be replaced one by one. */
  readonly fixed?: string;
}

export interface DataMap extends InFile {
  readonly kind: 'map';
  readonly entries: readonly DataEntry[];
}

export interface DataEntry {
  readonly key: string;
  readonly value: DataNode;
}

export interface DataList extends InFile {
  readonly kind: 'list';
  readonly items: readonly DataNode[];
}

/** Keys and indexes (as text) from the root. */
export type DataPath = readonly string[];

/** The last value of a key: what is given later stands over what was merged in before it. */
export function childAt(node: DataNode | undefined, ...keys: readonly string[]): DataNode | undefined {
  let found = node;
  for (const key of keys) found = childrenOf(found).findLast((each) => each.key === key)?.value;
  return found;
}

export function scalarOf(node: DataNode | undefined, ...keys: readonly string[]): DataScalar | undefined {
  const found = childAt(node, ...keys);
  return found?.kind === 'scalar' ? found : undefined;
}

/** Entries of a map, items of a list under their index, nothing of a scalar. */
export function childrenOf(node: DataNode | undefined): readonly DataEntry[] {
  if (node?.kind === 'map') return node.entries;
  if (node?.kind === 'list') return node.items.map((value, index) => ({ key: `${index}`, value }));
  return [];
}

/** Of a file that names itself in itself a hundred times over; no file that people write is near it. */
const MAX_VISITS = 200_000;

export class TooManyNodes extends Error {}

/** Calls back for each node below the root, parents first. @throws TooManyNodes for a file made to blow up */
export function visitData(root: DataNode, visit: (path: DataPath, node: DataNode) => void): void {
  let visits = 0;
  const walk = (path: DataPath, node: DataNode): void => {
    visits += 1;
    if (visits > MAX_VISITS) throw new TooManyNodes();
    visit(path, node);
    for (const { key, value } of childrenOf(node)) walk([...path, key], value);
  };
  walk([], root);
}

/** Whether a path fits a pattern: `jobs.*.container`, `**.image`; `*` is one key or index, `**` any number. */
export function fitsPath(path: DataPath, pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return path.length === 0;
  if (first === '**') return path.some((_, index) => fitsPath(path.slice(index), rest)) || fitsPath([], rest);
  return path.length > 0 && (first === '*' || first === path[0]) && fitsPath(path.slice(1), rest);
}

/** What stands at the places that a pattern fits. */
export function nodesAt(root: DataNode | undefined, pattern: string): readonly DataNode[] {
  let found: readonly DataNode[] = root === undefined ? [] : [root];
  for (const segment of pattern.split('.')) {
    found = found.flatMap((node) =>
      childrenOf(node).flatMap(({ key, value }) => (segment === '*' || segment === key ? [value] : [])),
    );
  }
  return found;
}

export function scalarsOf(nodes: readonly (DataNode | undefined)[]): readonly DataScalar[] {
  return nodes.filter((node): node is DataScalar => node?.kind === 'scalar');
}
