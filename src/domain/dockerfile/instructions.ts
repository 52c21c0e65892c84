import { DockerfileParser } from 'dockerfile-ast';
import { instructionWords, type Word } from './words.ts';

export interface Instruction {
  /** In upper case. */
  readonly keyword: string;
  /** Inside ONBUILD. */
  readonly onbuild: boolean;
  /** Flags and arguments, without the keyword and without heredocs. */
  readonly words: readonly Word[];
  /** UTF-16 offset of the keyword. */
  readonly start: number;
}

/** Splits a Dockerfile into its instructions; `escapeChar` is the character that its directive chose. */
export function readInstructions(text: string): { escapeChar: string; instructions: Instruction[] } {
  // BuildKit passes over a byte order mark and a #! line before it looks for directives; the library does not.
  const skipped = /^\uFEFF?(?:#!.*\n)?/.exec(text)![0].length;
  const document = DockerfileParser.parse(text.slice(skipped));
  const escapeChar = document.getEscapeCharacter();
  const lineStarts = lineStartsOf(text.slice(skipped));
  const instructions = document.getInstructions().map((instruction) => {
    const { line, character } = instruction.getRange().start;
    const start = skipped + lineStarts[line]! + character;
    return readInstruction(instructionWords(text, start, escapeChar), start);
  });
  return { escapeChar, instructions: instructions.filter((instruction) => instruction !== undefined) };
}

function readInstruction(words: readonly Word[], start: number): Instruction | undefined {
  const [first, second] = words;
  if (first === undefined) return undefined;
  const keyword = first.text.toUpperCase();
  if (keyword !== 'ONBUILD' || second === undefined) return { keyword, onbuild: false, words: words.slice(1), start };
  return { keyword: second.text.toUpperCase(), onbuild: true, words: words.slice(2), start };
}

/** UTF-16 offset of the start of each line. */
export function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let index = text.indexOf('\n'); index !== -1; index = text.indexOf('\n', index + 1)) starts.push(index + 1);
  return starts;
}
