import { type Expansion, expandWord, joinPieces, type Piece, type Scope, textOf } from './expand.ts';
import { type Instruction, lineStartsOf, readInstructions } from './instructions.ts';
import { sliceWord, type Word } from './words.ts';

/** A place in the file: UTF-16 offsets, end exclusive; line and column count from 1. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly column: number;
}

/** One place where a Dockerfile names an image. Stages, stage numbers and `scratch` are none. */
export interface DockerfileReference {
  readonly instruction: 'FROM' | 'COPY' | 'RUN';
  /** In an ONBUILD trigger: used by the builds of children, not by this one. */
  readonly onbuild: boolean;
  /** As it stands in the instruction, quotes and variables and all. */
  readonly written: string;
  /** With ARG defaults filled in; absent when the file alone does not decide it, then `unknown` says why. */
  readonly resolved?: string;
  readonly unknown?: string;
  /** What an edit has to change when it changes all: the reference itself, or the ARG default that holds all of it. */
  readonly range: TextRange;
  /**
   * Where the characters of `resolved` stand. One piece: that is `range`. More (`debian:${VERSION}`): `range` is the
   * word in the instruction, and an edit has to change the piece that holds the tag or digest.
   */
  readonly pieces: readonly Piece[];
  /** The ARG in whose default `range` lies. */
  readonly viaArg?: string;
}

export interface DockerfileStage {
  /** In lower case: stage names are compared without case. */
  readonly name?: string;
  readonly line: number;
  readonly base: { readonly stage: number } | { readonly reference: DockerfileReference } | 'scratch';
}

export interface ParsedDockerfile {
  /** In the order of the file. */
  readonly references: readonly DockerfileReference[];
  readonly stages: readonly DockerfileStage[];
  /** The image that the last stage comes from, through other stages; absent for `scratch` or an unknown one. */
  readonly finalBase?: string;
}

/**
 * Finds every image that a Dockerfile names in FROM, COPY --from and RUN --mount=from, with ARG defaults filled in
 * as BuildKit does. Never fails: what the file does not decide is `unknown`, what is no instruction is passed over.
 */
export function parseDockerfile(text: string): ParsedDockerfile {
  const { escapeChar, instructions } = readInstructions(text);
  const place = createPlace(text);
  const stages = readStages(instructions, escapeChar, place);
  let stageNumber = -1;
  const references = instructions.flatMap((instruction) => {
    if (instruction.keyword === 'FROM' && !instruction.onbuild && instruction.words.length > 0) {
      const base = stages[++stageNumber]?.base;
      return typeof base === 'object' && 'reference' in base ? [base.reference] : [];
    }
    return otherImages(instruction)
      .filter((word) => !isStage(word.text, instruction.keyword, stages))
      .map((word) => plainReference(word, instruction, place));
  });
  const base = baseOf({ stages });
  const finalBase = typeof base === 'object' ? base.resolved : undefined;
  return { references, stages, ...(finalBase === undefined ? {} : { finalBase }) };
}

/** The image that the stage `target` (default: the last one) comes from, through other stages; absent: no such stage. */
export function baseOf(
  parsed: Pick<ParsedDockerfile, 'stages'>,
  target?: string,
): DockerfileReference | 'scratch' | undefined {
  const { stages } = parsed;
  const start = target === undefined ? stages.length - 1 : findStage(target, stages);
  let stage = stages[start];
  while (typeof stage?.base === 'object' && 'stage' in stage.base) stage = stages[stage.base.stage];
  if (stage === undefined || stage.base === 'scratch') return stage?.base as 'scratch' | undefined;
  return 'reference' in stage.base ? stage.base.reference : undefined;
}

function readStages(instructions: readonly Instruction[], escapeChar: string, place: Place): DockerfileStage[] {
  const scope = new Map<string, Expansion | undefined>();
  const stages: DockerfileStage[] = [];
  for (const { keyword, onbuild, words, start } of instructions) {
    if (keyword === 'ARG' && stages.length === 0) for (const word of words) declare(word, scope, escapeChar);
    if (keyword !== 'FROM' || onbuild) continue;
    const [image, as, name] = words.filter(({ text }) => !text.startsWith('--'));
    if (image === undefined) continue;
    stages.push({
      ...(as?.text.toUpperCase() === 'AS' && name !== undefined ? { name: name.text.toLowerCase() } : {}),
      line: place(start, start).line,
      base: readBase(image, expandWord(image, scope, escapeChar), stages, place),
    });
  }
  return stages;
}

/** `ARG A=1 B="x y" C`: each is in reach of the ones after it. */
function declare(word: Word, scope: Map<string, Expansion | undefined>, escapeChar: string): void {
  const equals = word.text.indexOf('=');
  const name = equals === -1 ? word.text : word.text.slice(0, equals);
  const value = equals === -1 ? undefined : expandWord(sliceWord(word, equals + 1), scope as Scope, escapeChar);
  if (value === undefined || 'unknown' in value) scope.set(name, value);
  else scope.set(name, { pieces: value.pieces.map((piece) => ({ ...piece, arg: piece.arg ?? name })) });
}

function readBase(
  image: Word,
  expansion: Expansion,
  stages: readonly DockerfileStage[],
  place: Place,
): DockerfileStage['base'] {
  const common = { instruction: 'FROM', onbuild: false, written: image.text } as const;
  const whole = place(image.offsets[0]!, image.offsets.at(-1)! + 1);
  if ('unknown' in expansion) return { reference: { ...common, unknown: expansion.unknown, range: whole, pieces: [] } };
  const pieces = joinPieces(expansion.pieces);
  const resolved = textOf(pieces);
  if (resolved === 'scratch') return 'scratch';
  const stage = findStage(resolved, stages);
  if (stage !== -1) return { stage };
  if (resolved === '') return { reference: { ...common, unknown: 'it is empty', range: whole, pieces } };
  const [only, ...more] = pieces;
  if (only === undefined || more.length > 0) return { reference: { ...common, resolved, range: whole, pieces } };
  const viaArg = only.arg === undefined ? {} : { viaArg: only.arg };
  return { reference: { ...common, resolved, range: place(only.start, only.end), pieces, ...viaArg } };
}

function findStage(name: string, stages: readonly DockerfileStage[]): number {
  return stages.findLastIndex((stage) => stage.name === name.toLowerCase());
}

/** COPY may name a stage by its number as well; a mount may not. */
function isStage(name: string, keyword: string, stages: readonly DockerfileStage[]): boolean {
  if (name === '' || name === 'scratch' || findStage(name, stages) !== -1) return true;
  return keyword === 'COPY' && /^\d+$/.test(name);
}

/** The words behind `COPY --from=` and `from=` in `RUN --mount=`, quotes taken off. */
function otherImages({ keyword, words }: Instruction): Word[] {
  const end = words.findIndex(({ text }) => !text.startsWith('--'));
  const flags = (end === -1 ? words : words.slice(0, end)).map(withoutQuotes);
  if (keyword === 'COPY') return flags.flatMap((flag) => afterPrefix(flag, '--from='));
  if (keyword !== 'RUN') return [];
  const options = flags.flatMap((flag) => afterPrefix(flag, '--mount=')).flatMap(splitAtCommas);
  return options.flatMap((option) => afterPrefix(option, 'from='));
}

function afterPrefix(word: Word, prefix: string): Word[] {
  return word.text.toLowerCase().startsWith(prefix) ? [sliceWord(word, prefix.length)] : [];
}

function splitAtCommas(word: Word): Word[] {
  const parts = word.text.split(',');
  let start = 0;
  return parts.map((part) => {
    const slice = sliceWord(word, start, start + part.length);
    start += part.length + 1;
    return slice;
  });
}

function withoutQuotes(word: Word): Word {
  const kept = [...word.offsets.keys()].filter((index) => !/["']/.test(word.text[index]!));
  return {
    text: kept.map((index) => word.text[index]).join(''),
    offsets: kept.map((index) => word.offsets[index]!),
  };
}

/** COPY --from and mounts know no variables (BuildKit: "define alias stage instead"). */
function plainReference(word: Word, { keyword, onbuild }: Instruction, place: Place): DockerfileReference {
  const common = {
    instruction: keyword === 'COPY' ? 'COPY' : 'RUN',
    onbuild,
    written: word.text,
    range: place(word.offsets[0]!, word.offsets.at(-1)! + 1),
  } as const;
  const unknown = 'variables are not possible there; name the image in a stage of its own (FROM … AS name)';
  if (word.text.includes('$')) return { ...common, unknown, pieces: [] };
  const pieces = word.offsets.map((start, index) => ({ text: word.text[index]!, start, end: start + 1 }));
  return { ...common, resolved: word.text, pieces: joinPieces(pieces) };
}

type Place = (start: number, end: number) => TextRange;

function createPlace(text: string): Place {
  const starts = lineStartsOf(text);
  return (start, end) => {
    const line = starts.findLastIndex((lineStart) => lineStart <= start);
    return { start, end, line: line + 1, column: start - starts[line]! + 1 };
  };
}
