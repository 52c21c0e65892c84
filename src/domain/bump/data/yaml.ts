import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseAllDocuments } from 'yaml';
import type { DataEntry, DataNode } from './tree.ts';
import { readScalar } from './yaml-scalar.ts';

/** The documents of a YAML file, or why it is none. */
export type YamlFile = { readonly documents: readonly DataNode[] } | { readonly broken: string };

/** Reads all documents of a text; offsets are those of the text, byte order mark and all. Never fails. */
export function readYaml(text: string): YamlFile {
  const options = { uniqueKeys: false, strict: false, keepSourceTokens: false, logLevel: 'silent' } as const;
  try {
    const documents = [...parseAllDocuments(text, options)] as Document.Parsed[];
    const [error] = documents.flatMap(({ errors }) => errors);
    if (error !== undefined) return { broken: firstLine(error.message) };
    return { documents: documents.flatMap((document) => readDocument(document, text) ?? []) };
  } catch (error) {
    return { broken: error instanceof Error ? firstLine(error.message) : 'it cannot be read' };
  }
}

function firstLine(message: string): string {
  return message.split('\n')[0]!.replace(/:$/, '');
}

function readDocument(document: Document.Parsed, text: string): DataNode | undefined {
  // An anchor may be given anew: an alias means the last one before it.
  const anchors = new Map<string, DataNode | undefined>();
  const read = (node: Node | null | undefined): DataNode | undefined => {
    if (isAlias(node)) return anchors.get(node.source);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) anchors.delete(anchor);
    const found = readNode(node);
    if (anchor !== undefined) anchors.set(anchor, found);
    return found;
  };
  const readNode = (node: Node | null | undefined): DataNode | undefined => {
    if (isScalar(node)) return readScalar(node, text);
    const [start = 0, end = 0] = node?.range ?? [];
    if (isSeq(node)) {
      const items = node.items.map((item) => read(item as Node) ?? emptyAt(start));
      return { kind: 'list', items, start, end };
    }
    if (!isMap(node)) return undefined;
    const entries = node.items.flatMap(({ key, value }): readonly DataEntry[] => {
      const name = read(key as Node);
      const found = read(value as Node);
      return found === undefined || name?.kind !== 'scalar' ? [] : [{ key: name.text, value: found }];
    });
    const own = entries.filter(({ key }) => key !== '<<');
    // What a map says itself stands over what is merged into it.
    const others = entries.filter(({ key }) => key === '<<').flatMap((entry) => merged(entry.value));
    return { kind: 'map', entries: [...others, ...own], start, end };
  };
  return read(document.contents as Node | null);
}

function emptyAt(start: number): DataNode {
  return { kind: 'scalar', text: '', pieces: [], start, end: start };
}

/** `<<: *base` and `<<: [*one, *two]`, where the earlier one wins. */
function merged(node: DataNode): readonly DataEntry[] {
  if (node.kind === 'map') return node.entries;
  return node.kind === 'list' ? node.items.toReversed().flatMap(merged) : [];
}
