import { type Document, isMap, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Mistake } from '../errors.ts';
import { type IssueContext, mistakesOfIssue } from './issues.ts';

/** A file of the definitions: its path as messages name it, and its text. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

export type Path = readonly PropertyKey[];

/** A YAML file, checked against its schema. `value` is absent when it has mistakes. */
export interface ReadDocument<T> {
  readonly path: string;
  readonly value?: T;
  readonly mistakes: readonly Mistake[];
  /** A mistake at the node of a path, or at the nearest one above it that exists. */
  mistake(at: Path, message: string, remedy?: string): Mistake;
}

export interface ReadOptions {
  /** Keys that are described but not there yet, dotted from the top: `watch`, `channels.after`. */
  readonly planned?: readonly string[];
  /** What an empty file means; default an empty mapping. */
  readonly empty?: unknown;
}

/** Reads one YAML file. Every mistake carries its line, YAML's own as well as the schema's. */
export function readDocument<T>(
  source: SourceText,
  schema: z.ZodType<T>,
  { planned = [], empty = {} }: ReadOptions = {},
): ReadDocument<T> {
  const lines = new LineCounter();
  const document = parseDocument(source.text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number | undefined) => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { file: source.path, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const mistake = (at: Path, message: string, remedy?: string): Mistake => ({
    ...place(offsetOf(document, at)),
    message,
    ...(remedy === undefined ? {} : { remedy }),
  });
  if (document.errors.length > 0) {
    const mistakes = document.errors.map(({ pos, message, code }) => ({
      ...place(pos[0]),
      ...yamlMistake(code, message),
    }));
    return { path: source.path, mistakes, mistake };
  }
  const parsed = schema.safeParse(document.toJS() ?? empty);
  if (parsed.success) return { path: source.path, value: parsed.data, mistakes: [], mistake };
  const context: IssueContext = { schema, planned, mistake, sourceAt: (at) => sourceAt(document, at, source.text) };
  return {
    path: source.path,
    mistakes: parsed.error.issues.flatMap((issue) => mistakesOfIssue(issue, context)),
    mistake,
  };
}

function yamlMistake(code: string, message: string): { message: string; remedy?: string } {
  if (code === 'DUPLICATE_KEY') return { message: 'this key stands here twice', remedy: 'keep one of them' };
  if (code === 'TAB_AS_INDENT') return { message: 'a tab indents this line', remedy: 'write spaces' };
  return { message: `this is no YAML: ${message}` };
}

/** Where a key stands, for entries of a mapping; where the value stands, for others. */
function offsetOf(document: Document, at: Path): number | undefined {
  for (let length = at.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(at.slice(0, length - 1), true);
    const key = at[length - 1];
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && keyOf(item.key) === String(key))
      : undefined;
    const node = (pair?.key ?? document.getIn(at.slice(0, length), true)) as Node | undefined;
    if (node?.range) return node.range[0];
  }
  return undefined;
}

function keyOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

/** The text of a scalar as the person wrote it. */
function sourceAt(document: Document, at: Path, text: string): string | undefined {
  const node = document.getIn(at as unknown[], true);
  return isScalar(node) && node.range ? text.slice(node.range[0], node.range[1]) : undefined;
}
