import { RE2JS } from 're2js';
import type { Piece } from '../dockerfile/expand.ts';
import type { PinFormat } from './format.ts';
import { isBelowPattern } from './path-pattern.ts';
import { createPlaceRange, glue, type ImagePlace, toPlace, wordAt, wordPieces } from './place.ts';
import { createTextFormat } from './text-format.ts';

/** A search that people write for files of their own: RE2 with the groups `image`, `tag` and `digest`. */
export interface PinPattern {
  /** Paths that it is for: `deploy/**`, with slashes. */
  readonly files: readonly string[];
  /** RE2; `image`, `tag`, `digest` are named groups, and each that is there has to take part. */
  readonly pattern: string;
  /** Full name of the image, for patterns without a group of that name. */
  readonly image?: string;
}

/** @throws RE2JSException when it is no RE2; the schemas of our files refuse such a pattern first */
export function patternFormat(pattern: PinPattern): PinFormat {
  const search = RE2JS.compile(pattern.pattern, RE2JS.MULTILINE);
  const groups = Object.keys(search.namedGroups());
  return createTextFormat({
    id: 'pattern',
    isPath: (path) => pattern.files.some((files) => isBelowPattern(path, files)),
    places: (text) => patternPlaces(text, search, groups, pattern.image),
  });
}

function patternPlaces(
  text: string,
  search: RE2JS,
  groups: readonly string[],
  image: string | undefined,
): readonly ImagePlace[] {
  const rangeOf = createPlaceRange(text);
  const matcher = search.matcher(text);
  const places: ImagePlace[] = [];
  while (matcher.find()) {
    const group = (name: string): Piece[] | undefined => {
      const value = groups.includes(name) ? matcher.group(name) : null;
      return value === null ? undefined : wordPieces(wordAt(text, matcher.start(name), matcher.end(name)));
    };
    const [name, tag, digest] = [group('image'), group('tag'), group('digest')];
    const pieces = [
      ...(name ?? (image === undefined ? [] : [glue(image)])),
      ...(tag === undefined ? [] : [glue(':'), ...tag]),
      ...(digest === undefined ? [] : [glue('@'), ...digest]),
    ];
    const range = rangeOf(matcher.start(), matcher.end());
    const place = toPlace(matcher.group() ?? '', { pieces }, range);
    places.push(tag === undefined && digest === undefined ? place : { ...place, fields: true });
  }
  return places;
}
