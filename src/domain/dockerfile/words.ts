/** A word of an instruction, with the place of each of its characters in the file. */
export interface Word {
  readonly text: string;
  /** UTF-16 offsets, one for each character of `text`; not always neighbours, since a line may continue within a word. */
  readonly offsets: readonly number[];
}

/**
 * The words of the instruction that starts at `start`, without its heredocs: continued lines joined, comments and
 * empty lines between them left out (BuildKit, frontend/dockerfile/parser/parser.go). Quotes stay in the words.
 */
export function instructionWords(text: string, start: number, escapeChar: string): Word[] {
  return splitWords(text, logicalOffsets(text, start, escapeChar), escapeChar);
}

export function sliceWord(word: Word, start: number, end?: number): Word {
  return { text: word.text.slice(start, end), offsets: word.offsets.slice(start, end) };
}

function logicalOffsets(text: string, start: number, escapeChar: string): number[] {
  const offsets: number[] = [];
  for (let lineStart = start; lineStart < text.length; ) {
    const newline = text.indexOf('\n', lineStart);
    const lineEnd = newline === -1 ? text.length : newline;
    const line = text.slice(lineStart, lineEnd).replace(/\r$/, '');
    const skipped = lineStart !== start && /^\s*(#|$)/.test(line);
    const continues = skipped || isContinued(line, escapeChar);
    const kept = skipped ? 0 : continues ? line.lastIndexOf(escapeChar) : line.length;
    for (let index = 0; index < kept; index++) offsets.push(lineStart + index);
    if (!continues) break;
    lineStart = lineEnd + 1;
  }
  return offsets;
}

/** An escape at the end of the line, spaces after it allowed; two escapes are an escaped escape. */
function isContinued(line: string, escapeChar: string): boolean {
  const trimmed = line.replace(/[ \t]+$/, '');
  return trimmed.endsWith(escapeChar) && !trimmed.endsWith(escapeChar + escapeChar);
}

function splitWords(text: string, offsets: readonly number[], escapeChar: string): Word[] {
  const words: Word[] = [];
  let current: number[] = [];
  let quote: string | undefined;
  const finish = () => {
    if (current.length > 0) words.push({ text: current.map((offset) => text[offset]).join(''), offsets: [...current] });
    current = [];
  };
  for (let index = 0; index < offsets.length; index++) {
    const offset = offsets[index]!;
    const char = text[offset]!;
    if (quote === undefined && /\s/.test(char)) {
      finish();
      continue;
    }
    current.push(offset);
    const next = offsets[index + 1];
    if (char === escapeChar && quote !== "'" && next !== undefined) {
      current.push(next);
      index += 1;
    } else if (quote !== undefined) quote = char === quote ? undefined : quote;
    else if (char === '"' || char === "'") quote = char;
  }
  finish();
  return words;
}
