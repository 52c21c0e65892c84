import { createPlaceRange, type ImagePlace } from '../place.ts';

const NAME = /[a-z0-9][\w.-]*(?::\d+)?(?:\/[a-z0-9][\w.-]*)+(?::\w[\w.-]*)?(?:@sha256:[0-9a-f]{64})?/g;
const COMMENT = /^[\uFEFF \t]*(?:#|\/\/)/;

/** What looks like an image in a file that cannot be read: told, so that nobody relies on its being kept. */
export function rawPlaces(text: string, broken: string): readonly ImagePlace[] {
  const rangeOf = createPlaceRange(text);
  const why = `the file cannot be read (${broken}), so that nothing in it is moved`;
  let offset = 0;
  return text.split('\n').flatMap((line) => {
    const at = offset;
    offset += line.length + 1;
    if (COMMENT.test(line)) return [];
    return [...line.matchAll(NAME)].map((match): ImagePlace => {
      const [start, end] = [at + match.index, at + match.index + match[0].length];
      const range = rangeOf(start, end);
      const written = match[0];
      // More follows that belongs to it: a variable, a template.
      if (/^[:@]?[${]/.test(text.slice(end))) return { written, unknown: why, range, pieces: [] };
      return { written, resolved: written, range, pieces: [{ text: written, start, end }], fixed: why };
    });
  });
}
