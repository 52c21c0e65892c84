import { type Piece, textOf } from '../../dockerfile/expand.ts';
import { parseDockerfile } from '../../dockerfile/parse.ts';
import { glue, type ImagePlace, type PlaceRange, toPlace } from '../place.ts';
import { liftPieces, slicePieces } from './pieces.ts';
import { type DataNode, type DataPath, type DataScalar, scalarOf } from './tree.ts';
import { type Alternatives, type DataLookup, expandData, type Value } from './variables.ts';

/** What a reader of images may use. */
export interface ReadContext {
  readonly text: string;
  readonly rangeOf: PlaceRange;
  readonly path: DataPath;
  readonly lookup: DataLookup;
}

/** Finds the images that a node names. What is no image gives nothing. */
export type ImageReader = (node: DataNode, context: ReadContext) => readonly ImagePlace[];

/** `image: debian:12` */
export const image: ImageReader = (node, context) => (node.kind === 'scalar' ? placesOf(node, node, context) : []);

/** `image: debian:12`, or `image: { name: debian:12 }` under any of some keys. */
export function imageOr(...keys: readonly string[]): ImageReader {
  return (node, context) =>
    node.kind === 'scalar'
      ? image(node, context)
      : keys.flatMap((key) => {
          const found = scalarOf(node, key);
          return found === undefined ? [] : image(found, context);
        });
}

/** `docker://debian:12`; what has another scheme, or none, is no image. */
export const dockerUri: ImageReader = (node, context) => prefixed(/^docker:\/\//, node, context);

/** `docker-image://debian:12` */
export const dockerImageUri: ImageReader = (node, context) => prefixed(/^docker-image:\/\//, node, context);

function prefixed(scheme: RegExp, node: DataNode, context: ReadContext): readonly ImagePlace[] {
  if (node.kind !== 'scalar') return [];
  const length = scheme.exec(node.text)?.[0].length;
  return length === undefined ? [] : placesOf(part(node, length), node, context);
}

/** A value that may be anything: it counts when it has a name with a host or a slash, and a tag or digest. */
export const imageValue: ImageReader = (node, context) => {
  const scalar = node.kind === 'map' ? scalarOf(node, 'value') : node;
  if (scalar?.kind !== 'scalar' || !/^[a-z0-9][\w.-]*(?::\d+)?\/\S+[:@]\S+$/.test(scalar.text)) return [];
  return placesOf(scalar, scalar, context);
};

/** `NAME: value`, `- NAME=value` and lines of `NAME=value`: what a build is given. */
export function assignments(read: ImageReader): ImageReader {
  return (node, context) => {
    if (node.kind === 'map') return node.entries.flatMap(({ value }) => read(value, context));
    const scalars = node.kind === 'list' ? node.items : [node];
    return scalars
      .flatMap((scalar) => (scalar.kind === 'scalar' ? linesOf(scalar) : []))
      .flatMap((line) => {
        const equals = line.text.indexOf('=');
        return equals === -1 ? [] : read(part(line, equals + 1), context);
      });
  };
}

/** A Dockerfile that stands in a value. */
export const dockerfile: ImageReader = (node, { rangeOf }) => {
  if (node.kind !== 'scalar') return [];
  return parseDockerfile(node.text).references.map((reference): ImagePlace => {
    const at = slicePieces(node.pieces, reference.range.start, reference.range.end).find(({ start }) => start >= 0);
    const range = at === undefined ? rangeOf(node.start, node.end) : rangeOf(at.start, at.end);
    const pieces = liftPieces(reference.pieces, node.pieces);
    return { ...reference, range, pieces, ...(node.fixed !== undefined && { fixed: node.fixed }) };
  });
};

/** Parts of a reference that stand in several fields; texts between them stand nowhere. */
export function fieldPlaces(parts: readonly (DataScalar | string)[], context: ReadContext): readonly ImagePlace[] {
  const scalars = parts.filter((each) => typeof each !== 'string');
  const last = scalars.at(-1)!;
  const combined = parts
    .map(
      (each): Alternatives =>
        typeof each === 'string' ? { values: [{ pieces: [glue(each)] }] } : expanded(each, context),
    )
    .reduce((before, after) => product(before, after));
  const written = parts.map((each) => (typeof each === 'string' ? each : writtenOf(each, context))).join('');
  const range = context.rangeOf(last.start, last.end);
  return toPlaces(written, combined, range).map((place) => ({ ...place, fields: true }));
}

function product(before: Alternatives, after: Alternatives): Alternatives {
  if ('unknown' in before) return before;
  if ('unknown' in after) return after;
  const values = before.values.flatMap((a) =>
    after.values.map((b) => {
      const why = a.fixed ?? b.fixed;
      return { pieces: [...a.pieces, ...b.pieces], ...(why !== undefined && { fixed: why }) };
    }),
  );
  return { values };
}

function placesOf(scalar: DataScalar, around: DataScalar, context: ReadContext): readonly ImagePlace[] {
  if (scalar.text.trim() === '') return [];
  const places = toPlaces(writtenOf(scalar, context), expanded(trimmed(scalar), context), rangeOf(around, context));
  return places.map((place) => {
    const [only, ...more] = place.pieces;
    return only === undefined || more.length > 0 || only.start < 0
      ? place
      : { ...place, range: context.rangeOf(only.start, only.end) };
  });
}

function expanded({ text, pieces, fixed }: DataScalar, { lookup }: ReadContext): Alternatives {
  const own: readonly Piece[] = pieces.length === 0 && text !== '' ? [glue(text)] : pieces;
  return expandData({ pieces: own, ...(fixed !== undefined && { fixed }) }, lookup);
}

function toPlaces(written: string, found: Alternatives, range: ImagePlace['range']): ImagePlace[] {
  if ('unknown' in found) return [toPlace(written, found, range)];
  return found.values.map(({ pieces, fixed }: Value) => ({
    ...toPlace(written, { pieces }, range),
    ...(fixed !== undefined && { fixed }),
  }));
}

function rangeOf({ pieces, start, end }: DataScalar, context: ReadContext): ImagePlace['range'] {
  const first = pieces.find((piece) => piece.start >= 0);
  return context.rangeOf(first?.start ?? start, pieces.length === 1 && first ? first.end : end);
}

/** As it stands in the file; templates are blanked out in what was read. */
function writtenOf({ pieces }: DataScalar, { text }: ReadContext): string {
  return pieces
    .map((piece) => (piece.start < 0 ? piece.text : text.slice(piece.start, piece.end)))
    .join('')
    .trim();
}

export function part(scalar: DataScalar, from: number, to?: number): DataScalar {
  const pieces = slicePieces(scalar.pieces, from, to);
  return { ...scalar, text: textOf(pieces), pieces };
}

/** Blocks end with a line break, which is no part of an image. */
function trimmed(scalar: DataScalar): DataScalar {
  const { text } = scalar;
  const from = text.length - text.trimStart().length;
  return text.trim() === text ? scalar : part(scalar, from, text.trimEnd().length);
}

function linesOf(scalar: DataScalar): DataScalar[] {
  let offset = 0;
  return scalar.text.split('\n').map((line) => {
    const found = part(scalar, offset, offset + line.length);
    offset += line.length + 1;
    return found;
  });
}
