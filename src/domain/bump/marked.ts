import { commentOf } from './comments.ts';
import type { PinFormat } from './format.ts';
import { createPlaceRange, glue, type ImagePlace, toPlace, wordAt, wordPieces } from './place.ts';
import { createTextFormat } from './text-format.ts';

/** Files that people keep versions in; any other by name, in `marked` of the settings. */
const PATHS =
  /(?:^|\/)(?:[^/]*makefile[^/]*|justfile|Vagrantfile|Tiltfile|\.?env(?:\.[^/]+)?)$|\.(?:mk|mak|sh|bash|zsh|env|envrc|properties|conf|cfg|ini|toml|ps1|bat|cmd)$/i;

/** `IMAGE := x`, `export TAG="12.0.0"`, `tag: 12`: the value up to the end of the word. */
const ASSIGNED = /^([^=:#]*?(?::=|::=|\?=|\+=|[=:]))(\s*)(["'`]?)([^\s"'`#;,)]+)\3?/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Any text: the variable below (or before) a comment `# ingot: IMAGE` holds a reference to it, a version or a digest. */
export const markedFormat = markedFormatFor((path) => PATHS.test(path));

export function markedFormatFor(isPath: (path: string) => boolean): PinFormat {
  return createTextFormat({ id: 'marked', isPath, places: markedPlaces });
}

function markedPlaces(text: string): readonly ImagePlace[] {
  if (!text.includes('ingot:')) return [];
  const rangeOf = createPlaceRange(text);
  const lines = text.split('\n');
  let [start, image] = [0, undefined as string | undefined];
  return lines.flatMap((line) => {
    const from = start;
    start += line.length + 1;
    const said = commentOf(line)?.image;
    if (isComment(line)) {
      // A mark reaches over comments below it to the first line that is none.
      image = said ?? image;
      return [];
    }
    const marked = said ?? image;
    image = undefined;
    return marked === undefined ? [] : [placeIn(line, from, marked)];
  });

  function placeIn(line: string, from: number, name: string): ImagePlace {
    const [, before = '', space = '', quote = '', value] = ASSIGNED.exec(line) ?? [];
    const unknown = `"ingot: ${name}" marks no variable with a version or an image here; write it as in TAG=12.0.0`;
    if (value === undefined) return toPlace(`${name} ${line.trim()}`, { unknown }, rangeOf(from, from + line.length));
    const at = from + before.length + space.length + quote.length;
    const pieces = wordPieces(wordAt(text, at, at + value.length));
    const range = rangeOf(at, at + value.length);
    if (value.includes('$')) return toPlace(`${name} ${value}`, { unknown }, range);
    if (value.includes('/')) return toPlace(value, { pieces }, range);
    const lead = DIGEST.test(value) ? `${name}@` : `${name}:`;
    return toPlace(value, { pieces: [glue(lead), ...pieces] }, range);
  }
}

function isComment(line: string): boolean {
  return /^[\s\uFEFF]*(?:#|\/\/|;|--|\/\*|<!--|rem\s)/i.test(line);
}
