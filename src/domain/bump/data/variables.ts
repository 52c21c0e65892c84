import type { Piece } from '../../dockerfile/expand.ts';
import { textOf } from '../../dockerfile/expand.ts';
import { slicePieces } from './pieces.ts';
import { MASK } from './templates.ts';
import type { DataScalar } from './tree.ts';

/** Everything that a name can stand for in this file; `undefined` when the file says nothing of it. */
export type DataLookup = (name: string) => readonly DataScalar[] | undefined;

/** All that a value can come to, or why the file does not decide it. */
export type Alternatives = { readonly values: readonly Value[] } | { readonly unknown: string };

export interface Value {
  readonly pieces: readonly Piece[];
  readonly fixed?: string;
}

/** More combinations than that are no list of images. */
const MAX_VALUES = 64;
const MAX_DEPTH = 8;

const REFERENCE = new RegExp(
  [
    '\\$\\{\\{\\s*(?<expression>[^}]*?)\\s*\\}\\}', // GitHub Actions, Azure
    '\\$\\[\\[\\s*(?<input>[^\\]]*?)\\s*\\]\\]', // inputs of GitLab components
    '<<\\s*(?<parameter>[^>]*?)\\s*>>', // CircleCI
    '\\$\\((?<macro>[^)]*)\\)', // Tekton, Azure
    '\\$\\{(?<braced>[A-Za-z_]\\w*)', // compose, shells; the end is looked for by hand
    '\\$(?<plain>[A-Za-z_]\\w*)',
    `(?<template>${MASK}+)`,
  ].join('|'),
);

/** Puts in what the file says of each variable. @param value pieces and their mark of being fixed */
export function expandData({ pieces, fixed }: Value, lookup: DataLookup, depth = 0): Alternatives {
  const text = textOf(pieces);
  const match = REFERENCE.exec(text);
  if (match === null) return { values: [{ pieces, ...(fixed !== undefined && { fixed }) }] };
  if (depth > MAX_DEPTH) return { unknown: 'its variables name each other' };
  const end = match.groups!.braced === undefined ? match.index + match[0].length : closingBrace(text, match.index);
  if (end === undefined) return { unknown: `"${text}" has a variable without an end` };
  const inner = valuesOf(match, { pieces, fixed: fixed ?? undefined }, end, lookup, depth);
  if ('unknown' in inner) return inner;
  const rest = expandData({ pieces: slicePieces(pieces, end) }, lookup, depth);
  if ('unknown' in rest) return rest;
  const before = slicePieces(pieces, 0, match.index);
  const values = inner.values.flatMap((value) =>
    rest.values.map((after) => {
      const why = fixed ?? value.fixed ?? after.fixed;
      return { pieces: [...before, ...value.pieces, ...after.pieces], ...(why !== undefined && { fixed: why }) };
    }),
  );
  return values.length > MAX_VALUES ? { unknown: 'it can be too many things' } : { values };
}

function valuesOf(
  match: RegExpExecArray,
  value: { readonly pieces: readonly Piece[]; readonly fixed: string | undefined },
  end: number,
  lookup: DataLookup,
  depth: number,
): Alternatives {
  const { expression, input, parameter, macro, braced, plain } = match.groups!;
  const name = expression ?? input ?? parameter ?? macro ?? braced ?? plain;
  if (name === undefined) return { unknown: 'a template decides it; write the version out' };
  const found = lookup(name);
  const known = (found ?? []).filter(({ text }) => text !== '');
  const open = match.index + match[0].length;
  const [, operator, start] = braced === undefined ? [] : operatorAt(textOf(value.pieces), open);
  if (known.length > 0 && operator !== '+')
    return all(known.map((each) => expandData(toValue(each), lookup, depth + 1)));
  if (operator === '-' || operator === '=')
    return expandData(
      { pieces: slicePieces(value.pieces, start!, end - 1), ...(value.fixed !== undefined && { fixed: value.fixed }) },
      lookup,
      depth + 1,
    );
  return { unknown: `${match[0]}${braced === undefined ? '' : '}'} is not decided by the file; write the version out` };
}

function toValue({ pieces, fixed, text }: DataScalar): Value {
  const own = pieces.length === 0 && text !== '' ? [{ text, start: -1, end: -1 }] : pieces;
  return { pieces: own, ...(fixed !== undefined && { fixed }) };
}

function all(results: readonly Alternatives[]): Alternatives {
  const unknown = results.find((result) => 'unknown' in result);
  return unknown ?? { values: results.flatMap((result) => ('values' in result ? result.values : [])) };
}

/** `:-`, `-`, `:=`, `=` give a default; `?` an error, `+` another value. */
function operatorAt(text: string, at: number): [string, string, number] | [] {
  const match = /^:?([-=+?])/.exec(text.slice(at));
  return match === null ? [] : [match[0], match[1]!, at + match[0].length];
}

function closingBrace(text: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text.startsWith('${', at)) depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (text[at] === '}' && depth === 0) return at + 1;
  }
  return undefined;
}
