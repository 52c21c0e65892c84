import type { Expansion, Piece } from '../../dockerfile/expand.ts';
import { type ImagePlace, type PlaceRange, toPlace, wordPieces } from '../place.ts';
import type { Token } from './tokens.ts';

/** What a name stands for, by the code that names it; `undefined` for what the file does not say. */
export type Lookup = (code: string) => Expansion | undefined;

/** The value of a string, with what is put into it. */
export function expandString({ parts }: Token, lookup: Lookup): Expansion {
  const pieces: Piece[] = [];
  for (const part of parts) {
    if ('word' in part) {
      pieces.push(...wordPieces(part.word));
      continue;
    }
    const value = lookup(part.code.trim());
    if (value === undefined)
      return { unknown: `"${part.code.trim()}" is not decided by the file; write the version out` };
    if ('unknown' in value) return value;
    pieces.push(...value.pieces);
  }
  return { pieces };
}

/** Values of names that are given once: one that is given twice depends on what runs. */
export function createLookup(
  definitions: ReadonlyMap<string, readonly Token[]>,
  nameOf: (code: string) => string = (code) => code,
): Lookup {
  const open = new Set<string>();
  const lookup: Lookup = (code) => {
    const name = nameOf(code);
    const [token, second] = definitions.get(name) ?? [];
    if (token === undefined) return undefined;
    if (second !== undefined) return { unknown: `${name} is given more than one value in this file` };
    if (open.has(name)) return { unknown: `${name} is given by itself` };
    open.add(name);
    const value = expandString(token, lookup);
    open.delete(name);
    return 'unknown' in value ? value : { pieces: value.pieces.map((piece) => ({ ...piece, arg: piece.arg ?? name })) };
  };
  return lookup;
}

/** Adds a definition to those of its name. */
export function define(definitions: Map<string, Token[]>, name: string, token: Token): void {
  definitions.set(name, [...(definitions.get(name) ?? []), token]);
}

/** A place for a value; where all of it stands in a definition, people look for it there. */
export function placeOf(tokens: readonly Token[], value: Expansion, text: string, rangeOf: PlaceRange): ImagePlace {
  const [start, end] = [tokens[0]!.start, tokens.at(-1)!.end];
  const written =
    tokens.length === 1 && tokens[0]!.kind === 'string' ? withoutQuotes(tokens[0]!) : text.slice(start, end);
  const place = toPlace(written, value, rangeOf(start, end));
  const [only, ...more] = place.pieces;
  if (only === undefined || more.length > 0 || only.start < 0) return place;
  return { ...place, range: rangeOf(only.start, only.end) };
}

function withoutQuotes({ parts, text }: Token): string {
  const inner = parts.map((part) => ('word' in part ? part.word.text : `\${${part.code}}`)).join('');
  return inner === '' ? text : inner;
}

/** The same characters of the file named twice are one place. */
export function eachOnce(places: readonly ImagePlace[]): ImagePlace[] {
  const keyOf = ({ pieces, range }: ImagePlace) =>
    pieces.every(({ start }) => start < 0)
      ? `${range.start}-${range.end}`
      : pieces.map(({ start, end }) => `${start}-${end}`).join();
  return [...new Map(places.toReversed().map((place) => [keyOf(place), place])).values()].reverse();
}
