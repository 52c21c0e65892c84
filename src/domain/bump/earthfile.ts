import { type Expansion, expandWord, type Scope } from '../dockerfile/expand.ts';
import { lineStartsOf } from '../dockerfile/instructions.ts';
import { instructionWords, sliceWord, type Word } from '../dockerfile/words.ts';
import { eachOnce } from './code/values.ts';
import { createPlaceRange, type ImagePlace, type PlaceRange, toPlace } from './place.ts';
import { createTextFormat } from './text-format.ts';

/** Earthfile: FROM, WITH DOCKER --pull and COPY --from, with the defaults of ARG, LET and SET filled in. */
export const earthfileFormat = createTextFormat({
  id: 'earthfile',
  isPath: (path) => /(?:^|\/)Earthfile$/.test(path),
  places: earthfilePlaces,
});

function earthfilePlaces(text: string): readonly ImagePlace[] {
  const rangeOf = createPlaceRange(text);
  const base = new Map<string, Expansion | undefined>();
  let scope = base;
  const places: ImagePlace[] = [];
  for (const { words, indented } of readCommands(text)) {
    const [first, ...rest] = words;
    const keyword = first!.text.toUpperCase();
    // `build:` begins a target, whose ARGs are its own; those of the top are in reach of all.
    if (!indented && /^[a-zA-Z][\w.-]*:$/.test(first!.text)) scope = new Map(base);
    else if (keyword === 'ARG' || keyword === 'LET' || keyword === 'SET') declare(rest, scope);
    else places.push(...imagesOf(keyword, rest).map((word) => placeOf(word, scope, rangeOf)));
  }
  return eachOnce(places);
}

interface Command {
  readonly words: readonly Word[];
  readonly indented: boolean;
}

function readCommands(text: string): Command[] {
  const commands: Command[] = [];
  let behind = 0;
  for (const start of lineStartsOf(text)) {
    if (start < behind) continue;
    const line = /^[\uFEFF]?([ \t]*)(.*)/.exec(text.slice(start, endOfLine(text, start)))!;
    if (line[2] === '' || line[2]!.startsWith('#')) continue;
    const from = start + line[0].length - line[2]!.length;
    const words = withoutComment(instructionWords(text, from, '\\'));
    const last = instructionWords(text, from, '\\').at(-1)?.offsets.at(-1) ?? from;
    behind = last + 1;
    if (words.length > 0) commands.push({ words, indented: line[1] !== '' });
  }
  return commands;
}

function endOfLine(text: string, start: number): number {
  const newline = text.indexOf('\n', start);
  return newline === -1 ? text.length : newline;
}

/** Earthly takes ` # …` behind a command for a comment. */
function withoutComment(words: readonly Word[]): readonly Word[] {
  const comment = words.findIndex(({ text }) => text.startsWith('#'));
  return comment === -1 ? words : words.slice(0, comment);
}

/** `ARG --required NAME = value`, quotes allowed. */
function declare(words: readonly Word[], scope: Map<string, Expansion | undefined>): void {
  const [first, ...rest] = words.filter(({ text }) => !text.startsWith('--'));
  if (first === undefined) return;
  const equals = first.text.indexOf('=');
  const name = equals === -1 ? first.text : first.text.slice(0, equals);
  const value = equals === -1 ? rest[rest[0]?.text === '=' ? 1 : 0] : sliceWord(first, equals + 1);
  if (value === undefined) return void scope.set(name, undefined);
  const expansion = value.text.includes('$(')
    ? { unknown: `${name} is what a command prints` }
    : expandWord(value, scope as Scope, '\\');
  if ('unknown' in expansion) scope.set(name, expansion);
  else scope.set(name, { pieces: expansion.pieces.map((piece) => ({ ...piece, arg: piece.arg ?? name })) });
}

/** Targets (`+build`, `./lib+build`) and `scratch` are no images. */
function imagesOf(keyword: string, words: readonly Word[]): Word[] {
  const isImage = ({ text }: Word) => text !== 'scratch' && !text.includes('+') && text !== 'DOCKERFILE';
  const flags = flagValues(words, keyword === 'WITH' ? '--pull' : '--from');
  if (keyword === 'WITH' || keyword === 'COPY') return flags.filter(isImage);
  if (keyword !== 'FROM') return [];
  const image = words.find(({ text }) => !text.startsWith('--'));
  return image !== undefined && isImage(image) ? [image] : [];
}

/** `--pull=image` and `--pull image`. */
function flagValues(words: readonly Word[], flag: string): Word[] {
  return words.flatMap((word, index) => {
    if (word.text.startsWith(`${flag}=`)) return [sliceWord(word, flag.length + 1)];
    const next = words[index + 1];
    return word.text === flag && next !== undefined ? [next] : [];
  });
}

function placeOf(word: Word, scope: Scope, rangeOf: PlaceRange): ImagePlace {
  const value = expandWord(word, scope, '\\');
  const place = toPlace(word.text, value, rangeOf(word.offsets[0]!, word.offsets.at(-1)! + 1));
  const [only, ...more] = place.pieces;
  return only === undefined || more.length > 0 ? place : { ...place, range: rangeOf(only.start, only.end) };
}
