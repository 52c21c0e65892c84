import type { Scalar } from 'yaml';
import type { Piece } from '../../dockerfile/expand.ts';
import { glue } from '../place.ts';
import type { DataScalar } from './tree.ts';

/** A scalar of YAML, with the place of each of its characters as far as they stand there as they are. */
export function readScalar(node: Scalar, text: string): DataScalar {
  const [start = 0, end = 0] = node.range ?? [];
  const value = typeof node.value === 'string' ? node.value : (node.source ?? '');
  const common = { kind: 'scalar' as const, text: value, start, end };
  if (value === '') return { ...common, pieces: [] };
  if (node.type?.startsWith('BLOCK')) {
    const pieces = blockPieces(value, { start, end }, text);
    if (pieces !== undefined) return { ...common, pieces };
    return fixed(common, 'it is folded from several lines; write it on one line');
  }
  const quotes = node.type?.startsWith('QUOTE') ? 1 : 0;
  const piece = { text: value, start: start + quotes, end: end - quotes };
  if (text.slice(piece.start, piece.end) === value) return { ...common, pieces: [piece] };
  return fixed(common, 'it is written with escapes or over several lines; write it plainly');
}

function fixed(scalar: Omit<DataScalar, 'pieces'>, why: string): DataScalar {
  return { ...scalar, pieces: [glue(scalar.text)], fixed: why };
}

/** The lines of a literal block, or the one line of a folded one; the header (`|-`) stands on the first line. */
function blockPieces(value: string, { start, end }: { start: number; end: number }, text: string): Piece[] | undefined {
  const lines = sourceLines(text, text.indexOf('\n', start) + 1, end);
  const first = lines.find(({ content }) => content.trim() !== '');
  if (first === undefined) return undefined;
  const stated = /^[|>][+-]?([1-9])/.exec(text.slice(start))?.[1];
  const own = first.content.length - first.content.trimStart().length;
  // A stated indentation counts from the parent's, which only the value tells.
  const indent = stated === undefined ? own : own - (value.length - value.trimStart().replace(/^\n+/, '').length);
  const pieces = lines.flatMap(({ content, at }, index): Piece[] => {
    const line = content.slice(indent);
    const piece = { text: line, start: at + Math.min(indent, content.length), end: at + content.length };
    return [...(line === '' ? [] : [piece]), ...(index === lines.length - 1 ? [] : [glue('\n')])];
  });
  return fitValue(pieces, value);
}

/** Chomping decides about the line breaks at the end; all else has to be the same. */
function fitValue(pieces: readonly Piece[], value: string): Piece[] | undefined {
  const text = pieces.map((piece) => piece.text).join('');
  const trimmed = (each: string) => each.replace(/\n+$/, '');
  if (trimmed(text) !== trimmed(value)) return undefined;
  const kept = [...pieces];
  while (kept.at(-1)?.text === '\n') kept.pop();
  const rest = value.slice(trimmed(value).length);
  return rest === '' ? kept : [...kept, glue(rest)];
}

function sourceLines(text: string, start: number, end: number): { content: string; at: number }[] {
  const lines: { content: string; at: number }[] = [];
  for (let at = start; at < end; ) {
    const newline = text.indexOf('\n', at);
    const stop = newline === -1 || newline >= end ? end : newline;
    lines.push({ content: text.slice(at, stop).replace(/\r$/, ''), at });
    at = stop + 1;
  }
  return lines;
}
