import { createPlaceRange, type ImagePlace } from '../place.ts';
import { dataPlaces, rule } from './data-format.ts';
import type { ImageReader } from './images.ts';
import { liftPieces, slicePieces } from './pieces.ts';
import { anyImage } from './split-image.ts';

/** YAML that stands in a value, with the images of a map wherever they are. */
export const nestedImages: ImageReader = (node, { text }) => {
  if (node.kind !== 'scalar' || node.text.trim() === '') return [];
  const rangeOf = createPlaceRange(text);
  const inner = { id: 'nested', isPath: () => true, rules: [rule('**', anyImage)] };
  return dataPlaces(node.text, inner).map((place): ImagePlace => {
    const at = slicePieces(node.pieces, place.range.start, place.range.end).find(({ start }) => start >= 0);
    const fixed = node.fixed ?? place.fixed;
    return {
      ...place,
      range: at === undefined ? rangeOf(node.start, node.end) : rangeOf(at.start, at.end),
      pieces: liftPieces(place.pieces, node.pieces),
      ...(fixed !== undefined && { fixed }),
    };
  });
};
