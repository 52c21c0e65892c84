import { joinPieces, type Piece } from '../../dockerfile/expand.ts';
import { glue } from '../place.ts';

/** The pieces of a part of a value; offsets are those of the value. */
export function slicePieces(pieces: readonly Piece[], start: number, end = Number.POSITIVE_INFINITY): Piece[] {
  const found: Piece[] = [];
  let offset = 0;
  for (const piece of pieces) {
    const [from, to] = [Math.max(start - offset, 0), Math.min(end - offset, piece.text.length)];
    if (from < to) found.push(partOf(piece, from, to));
    offset += piece.text.length;
  }
  return joinPieces(found);
}

function partOf(piece: Piece, from: number, to: number): Piece {
  const text = piece.text.slice(from, to);
  if (piece.start < 0) return glue(text);
  return { ...piece, text, start: piece.start + from, end: piece.start + to };
}

/** Pieces of a text that itself stands in pieces in a file: a Dockerfile in a block of YAML. */
export function liftPieces(inner: readonly Piece[], outer: readonly Piece[]): Piece[] {
  return inner.flatMap((piece) => {
    if (piece.start < 0) return [piece];
    const lifted = slicePieces(outer, piece.start, piece.end);
    return lifted.map((each) => (piece.arg === undefined || each.start < 0 ? each : { ...each, arg: piece.arg }));
  });
}
