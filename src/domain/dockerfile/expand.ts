import { sliceWord, type Word } from './words.ts';

/** A run of characters that stand side by side in the file and are part of a value. */
export interface Piece {
  readonly text: string;
  /** UTF-16 offsets in the file, end exclusive. */
  readonly start: number;
  readonly end: number;
  /** The ARG in whose default the characters stand, when not in the instruction itself. */
  readonly arg?: string;
}

/** A value and where its characters come from, or why it cannot be known from the file. */
export type Expansion = { readonly pieces: readonly Piece[] } | { readonly unknown: string };

/** The ARGs in reach: `undefined` for one that was declared without default. */
export type Scope = ReadonlyMap<string, Expansion | undefined>;

const VARIABLE = /^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])(.*)|(.*))\})$/s;

/** Removes quotes and replaces variables as FROM and ARG do (BuildKit, frontend/dockerfile/shell/lex.go). */
export function expandWord(word: Word, scope: Scope, escapeChar: string): Expansion {
  const pieces: Piece[] = [];
  let quote: string | undefined;
  for (let index = 0; index < word.text.length; ) {
    const char = word.text[index]!;
    if (char === quote) quote = undefined;
    else if (quote === undefined && (char === '"' || char === "'")) quote = char;
    else if (char === '$' && quote !== "'") {
      const match = VARIABLE.exec(variableAt(word.text, index));
      if (match === null) return { unknown: `"${word.text}" uses a form of variable that is not understood` };
      const value = expandVariable(match, sliceWord(word, index, index + match[0].length), scope, escapeChar);
      if ('unknown' in value) return value;
      pieces.push(...value.pieces);
      index += match[0].length;
      continue;
    } else {
      if (char === escapeChar && quote !== "'" && index + 1 < word.text.length) index += 1;
      pieces.push(pieceOf(word, index));
    }
    index += 1;
  }
  return { pieces: joinPieces(pieces) };
}

/** `$NAME`, or up to the brace that closes it: what stands for an absent value may hold variables itself. */
function variableAt(text: string, start: number): string {
  if (text[start + 1] !== '{') return /^\$[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(start))?.[0] ?? '';
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    if (text.startsWith('${', index)) depth += 1;
    if (text[index] === '}') depth -= 1;
    if (text[index] === '}' && depth === 0) return text.slice(start, index + 1);
  }
  return '';
}

export function textOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join('');
}

function expandVariable(match: RegExpExecArray, word: Word, scope: Scope, escapeChar: string): Expansion {
  const [, plain, braced, operator, operand, other] = match;
  const name = plain ?? braced!;
  if (other) return { unknown: `"${word.text}" uses a form of variable that is not understood` };
  const value = scope.get(name);
  if (value !== undefined && 'unknown' in value) return value;
  const isSet = value !== undefined && (!operator?.startsWith(':') || textOf(value.pieces) !== '');
  const start = word.text.length - 1 - (operand?.length ?? 0);
  const alternative = () => expandWord(sliceWord(word, start, -1), scope, escapeChar);
  if (operator?.endsWith('-')) return isSet ? value! : alternative();
  if (operator?.endsWith('+')) return isSet ? alternative() : { pieces: [] };
  if (value !== undefined) return value;
  return {
    unknown: scope.has(name)
      ? `the ARG ${name} has no default`
      : `${name} is not known there; only an ARG before the first FROM with a default is`,
  };
}

function pieceOf(word: Word, index: number): Piece {
  const start = word.offsets[index]!;
  return { text: word.text[index]!, start, end: start + 1 };
}

/** Neighbours in the value that are neighbours in the file, too, become one piece. */
export function joinPieces(pieces: readonly Piece[]): Piece[] {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last !== undefined && last.end === piece.start && last.arg === piece.arg)
      joined[joined.length - 1] = { ...last, text: last.text + piece.text, end: piece.end };
    else joined.push(piece);
  }
  return joined;
}
