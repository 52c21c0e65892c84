import type { Piece } from '../dockerfile/expand.ts';
import { joinPieces, textOf } from '../dockerfile/expand.ts';
import { lineStartsOf } from '../dockerfile/instructions.ts';
import type { TextRange } from '../dockerfile/parse.ts';
import type { Word } from '../dockerfile/words.ts';

/** A place in a text that names an image, and where each of its characters stands. */
export interface ImagePlace {
  /** As it stands in the file, quotes left out, variables and all. */
  readonly written: string;
  /** With variables filled in; absent when the file alone does not decide it, then `unknown` says why. */
  readonly resolved?: string;
  readonly unknown?: string;
  /** Where a person looks for it. */
  readonly range: TextRange;
  /** Where the characters of `resolved` stand; those that stand nowhere (the colon between two fields) are glue. */
  readonly pieces: readonly Piece[];
  /** Tag and digest are fields of their own: nothing can be added that is not there. */
  readonly fields?: boolean;
  /** Why it cannot be moved, although it is known what it names. */
  readonly fixed?: string;
  /** What moves is a version alone; the image is named beside it. */
  readonly only?: 'version';
}

export type PlaceRange = (start: number, end: number) => TextRange;

/** Lines and columns for offsets of one text. */
export function createPlaceRange(text: string): PlaceRange {
  const starts = lineStartsOf(text);
  return (start, end) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (starts[middle]! <= start) low = middle;
      else high = middle - 1;
    }
    return { start, end, line: low + 1, column: start - starts[low]! + 1 };
  };
}

/** Characters that a place consists of and that stand nowhere in the file. */
export function glue(text: string): Piece {
  return { text, start: -1, end: -1 };
}

/** A place from what its value expands to. */
export function toPlace(
  written: string,
  value: { readonly pieces: readonly Piece[] } | { readonly unknown: string },
  range: TextRange,
): ImagePlace {
  if ('unknown' in value) return { written, unknown: value.unknown, range, pieces: [] };
  const pieces = joinPieces(value.pieces.filter(({ text }) => text !== ''));
  return { written, resolved: textOf(pieces), range, pieces };
}

/** The characters of a word, without variables and quotes of any kind. */
export function wordPieces({ text, offsets }: Word): Piece[] {
  return joinPieces([...text].length === text.length ? [...text].map(toPiece) : splitUnits(text).map(toPiece));
  function toPiece(char: string, index: number): Piece {
    return { text: char, start: offsets[index]!, end: offsets[index]! + 1 };
  }
}

function splitUnits(text: string): string[] {
  return Array.from({ length: text.length }, (_, index) => text[index]!);
}

/** A part of a text as a word. */
export function wordAt(text: string, start: number, end: number): Word {
  return {
    text: text.slice(start, end),
    offsets: Array.from({ length: end - start }, (_, index) => start + index),
  };
}
