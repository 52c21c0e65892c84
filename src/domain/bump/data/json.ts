import { type Node, type ParseError, parseTree } from 'jsonc-parser';
import { glue } from '../place.ts';
import type { DataEntry, DataNode } from './tree.ts';
import type { YamlFile } from './yaml.ts';

/** Reads JSON with comments and trailing commas, as editors write it. Never fails. */
export function readJson(text: string): YamlFile {
  const errors: ParseError[] = [];
  // The parser knows no byte order mark; a blank keeps the offsets.
  const root = parseTree(text.replace(/^\uFEFF/, ' '), errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) return { broken: `it is no JSON at offset ${error.offset}` };
  const found = root === undefined ? undefined : readNode(root, text);
  return { documents: found === undefined ? [] : [found] };
}

function readNode(node: Node, text: string): DataNode {
  const [start, end] = [node.offset, node.offset + node.length];
  if (node.type === 'array') {
    return { kind: 'list', items: (node.children ?? []).map((child) => readNode(child, text)), start, end };
  }
  if (node.type === 'object') {
    const entries = (node.children ?? []).flatMap(({ children }): readonly DataEntry[] => {
      const [key, value] = children ?? [];
      return value === undefined ? [] : [{ key: `${key!.value}`, value: readNode(value, text) }];
    });
    return { kind: 'map', entries, start, end };
  }
  const value = `${node.value ?? ''}`;
  const quotes = node.type === 'string' ? 1 : 0;
  const common = { kind: 'scalar' as const, text: value, start, end };
  if (text.slice(start + quotes, end - quotes) === value) {
    return { ...common, pieces: value === '' ? [] : [{ text: value, start: start + quotes, end: end - quotes }] };
  }
  return { ...common, pieces: [glue(value)], fixed: 'it is written with escapes; write it plainly' };
}
