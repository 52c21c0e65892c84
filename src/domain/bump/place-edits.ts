import type { Piece } from '../dockerfile/expand.ts';
import { type Edit, overlaps, sameEdit } from './edits.ts';
import type { PinVersion } from './format.ts';
import type { ImagePlace } from './place.ts';

/** A change of the text that a place comes to: offsets in `resolved`. */
interface Wanted {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Edits for the tag and the digest, each where its characters stand; `undefined` when that is not possible. */
export function versionEdits(
  place: ImagePlace,
  from: PinVersion,
  to: PinVersion,
  text: string,
): readonly Edit[] | undefined {
  const { length } = place.resolved!;
  const at = from.digest === undefined ? length : length - from.digest.length - 1;
  const wanted: Wanted[] = [];
  if (to.tag !== undefined && from.tag === undefined) wanted.push({ start: at, end: at, text: `:${to.tag}` });
  else if (to.tag !== undefined && to.tag !== from.tag)
    wanted.push(...tagChanges(place, at - from.tag!.length, from.tag!, to.tag));
  if (to.digest !== undefined && from.digest === undefined)
    wanted.push({ start: length, end: length, text: `@${to.digest}` });
  else if (to.digest !== undefined && to.digest !== from.digest)
    wanted.push({ start: at + 1, end: length, text: to.digest });
  return toEdits(wanted, place, text);
}

/** Another reference altogether. */
export function wholeEdit(place: ImagePlace, reference: string, text: string): readonly Edit[] | undefined {
  return place.fields ? undefined : toEdits([{ start: 0, end: place.resolved!.length, text: reference }], place, text);
}

/** One change where the tag stands in one piece, else one for each of its parts: `12.${MINOR}`. */
function tagChanges({ pieces }: ImagePlace, start: number, from: string, to: string): Wanted[] {
  const whole = { start, end: start + from.length, text: to };
  const [old, next] = [from.split('.'), to.split('.')];
  if (pieceWith(whole, pieces) !== undefined || old.length !== next.length) return [whole];
  let offset = start;
  return old.flatMap((part, index) => {
    const change = { start: offset, end: offset + part.length, text: next[index]! };
    offset += part.length + 1;
    return part === next[index] ? [] : [change];
  });
}

function toEdits(wanted: readonly Wanted[], place: ImagePlace, text: string): readonly Edit[] | undefined {
  const edits = wanted.map((each) => inFile(each, place, text));
  return edits.every((edit) => edit !== undefined) ? edits : undefined;
}

function inFile(wanted: Wanted, { pieces, fields }: ImagePlace, text: string): Edit | undefined {
  const isInsertion = wanted.start === wanted.end;
  if (isInsertion && fields) return undefined;
  // What is inserted goes behind the character before it.
  const found = pieceWith(isInsertion ? { ...wanted, start: wanted.start - 1 } : wanted, pieces);
  if (found === undefined || found.piece.start < 0) return undefined;
  const { piece, offset } = found;
  const start = piece.start + wanted.start - offset;
  const end = piece.start + wanted.end - offset;
  return text.slice(piece.start, piece.end) === piece.text ? { start, end, text: wanted.text } : undefined;
}

function pieceWith(
  { start, end }: Pick<Wanted, 'start' | 'end'>,
  pieces: readonly Piece[],
): { piece: Piece; offset: number } | undefined {
  let offset = 0;
  for (const piece of pieces) {
    if (start >= offset && end <= offset + piece.text.length) return { piece, offset };
    offset += piece.text.length;
  }
  return undefined;
}

/** A place with what shall become of it. */
export interface EditedPlace {
  readonly place: ImagePlace;
  readonly edits: readonly Edit[];
}

/** Whether an edit changes characters that another place needs as they are. */
export function isShared(edit: Edit, places: readonly ImagePlace[], edited: readonly EditedPlace[]): boolean {
  const touched = edit.start === edit.end ? { ...edit, start: edit.start - 1 } : edit;
  const wants = (place: ImagePlace) =>
    edited.some((other) => other.place === place && other.edits.some((each) => sameEdit(each, edit)));
  return places.some((other) => other.pieces.some((piece) => overlaps(piece, touched)) && !wants(other));
}
