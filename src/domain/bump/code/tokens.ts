import type { Word } from '../../dockerfile/words.ts';

/** How a language writes what a search for images has to tell apart: comments, strings, names. */
export interface Language {
  readonly lineComments: readonly string[];
  readonly blockComments: boolean;
  /** The first that fits counts: longer openings before shorter ones. */
  readonly strings: readonly StringRule[];
  readonly name: RegExp;
  /** `<<EOT`, as in HCL. */
  readonly heredocs?: boolean;
  /** What a string may only follow, by its opening: a slash divides as well. */
  readonly onlyAfter?: Readonly<Record<string, RegExp>>;
}

export interface StringRule {
  readonly open: string;
  readonly close: string;
  readonly escapes: boolean;
  readonly multiline: boolean;
  /** `braces`: `${…}`; `names`: `$name` as well. */
  readonly inserts?: 'braces' | 'names';
}

export interface Token {
  readonly kind: 'name' | 'string' | 'punctuation' | 'newline';
  /** UTF-16 offsets, quotes included. */
  readonly start: number;
  readonly end: number;
  /** As it stands in the file. */
  readonly text: string;
  /** Of a string: what stands between the quotes. */
  readonly parts: readonly StringPart[];
}

/** Characters, or an expression that is put in: `var.tag` of `${var.tag}`. */
export type StringPart = { readonly word: Word } | { readonly code: string };

/** Never fails: what ends in the middle of a string is a string to its end. */
export function tokenize(text: string, language: Language): Token[] {
  const tokens: Token[] = [];
  const reader = createReader(text, language);
  for (let at = 0; at < text.length; ) {
    const token = reader.next(at, tokens.at(-1));
    if (token.kind !== 'space') tokens.push(token as Token);
    at = token.end;
  }
  return tokens;
}

type Scanned = Token | { readonly kind: 'space'; readonly end: number };

function createReader(text: string, language: Language) {
  const name = new RegExp(language.name.source, 'uy');
  const token = (kind: Token['kind'], start: number, end: number, parts: StringPart[] = []): Token => ({
    kind,
    start,
    end,
    text: text.slice(start, end),
    parts,
  });

  function next(at: number, before: Token | undefined): Scanned {
    const char = text[at]!;
    if (char === '\n') return token('newline', at, at + 1);
    if (/\s/.test(char)) return { kind: 'space', end: at + 1 };
    const comment = endOfComment(at);
    if (comment !== undefined) return { kind: 'space', end: comment };
    if (language.heredocs && text.startsWith('<<', at)) {
      const heredoc = readHeredoc(at);
      if (heredoc !== undefined) return heredoc;
    }
    const rule = language.strings.find(({ open }) => text.startsWith(open, at) && mayFollow(open, before));
    if (rule !== undefined) return readString(at, rule);
    name.lastIndex = at;
    const match = name.exec(text);
    if (match !== null) return token('name', at, at + match[0].length);
    return token('punctuation', at, at + 1);
  }

  function mayFollow(open: string, before: Token | undefined): boolean {
    const rule = language.onlyAfter?.[open];
    return rule === undefined || before === undefined || rule.test(before.text);
  }

  function endOfComment(at: number): number | undefined {
    if (language.lineComments.some((mark) => text.startsWith(mark, at))) return orEnd(text.indexOf('\n', at));
    if (!language.blockComments || !text.startsWith('/*', at)) return undefined;
    const close = text.indexOf('*/', at + 2);
    return close === -1 ? text.length : close + 2;
  }

  function readString(start: number, rule: StringRule): Token {
    const parts = createParts();
    let at = start + rule.open.length;
    while (at < text.length && !text.startsWith(rule.close, at)) {
      if (text[at] === '\n' && !rule.multiline) return token('string', start, at, parts.done());
      if (rule.escapes && text[at] === '\\') {
        parts.add(at + 1);
        at += 2;
      } else at = readCharacter(at, rule, parts);
    }
    return token('string', start, Math.min(at + rule.close.length, text.length), parts.done());
  }

  /** One character, or what is put in there; returns where it ends. */
  function readCharacter(at: number, { inserts }: Pick<StringRule, 'inserts'>, parts: Parts): number {
    if (inserts !== undefined && /^[$%]\{/.test(text.slice(at, at + 2)) && text[at - 1] !== text[at]) {
      const end = endOfInsert(at + 2);
      parts.code(text.slice(at + 2, end - 1));
      return end;
    }
    const plain = inserts === 'names' ? /^\$([A-Za-z_][\w.]*)/.exec(text.slice(at, at + 200)) : null;
    if (plain === null) {
      parts.add(at);
      return at + 1;
    }
    parts.code(plain[1]!);
    return at + plain[0].length;
  }

  /** Behind the brace that closes it; braces and strings within it are skipped. */
  function endOfInsert(from: number): number {
    let depth = 1;
    let before: Token | undefined;
    for (let at = from; at < text.length; ) {
      const scanned = next(at, before);
      at = scanned.end;
      if (scanned.kind === 'space') continue;
      before = scanned;
      if (scanned.text === '{') depth += 1;
      if (scanned.text === '}') depth -= 1;
      if (depth === 0) return at;
    }
    return text.length;
  }

  function readHeredoc(start: number): Token | undefined {
    const opening = /^<<-?([\p{L}_][\p{L}\p{N}_-]*)[ \t]*\r?\n/u.exec(text.slice(start, start + 200));
    if (opening === null) return undefined;
    const parts = createParts();
    const from = start + opening[0].length;
    const close = new RegExp(`^[ \\t]*${opening[1]}[ \\t]*\\r?$`, 'mu');
    const match = close.exec(text.slice(from));
    const end = match === null ? text.length : from + match.index;
    for (let at = from; at < end; ) at = readCharacter(at, { inserts: 'braces' }, parts);
    return token('string', start, match === null ? end : end + match[0].trimEnd().length, parts.done());
  }

  function orEnd(index: number): number {
    return index === -1 ? text.length : index;
  }

  interface Parts {
    add(offset: number): void;
    code(code: string): void;
    done(): StringPart[];
  }

  function createParts(): Parts {
    const parts: StringPart[] = [];
    let offsets: number[] = [];
    const flush = () => {
      const kept = offsets.filter((offset) => offset < text.length);
      if (kept.length > 0) parts.push({ word: { text: kept.map((offset) => text[offset]).join(''), offsets: kept } });
      offsets = [];
    };
    return {
      add: (offset) => void offsets.push(offset),
      code(code) {
        flush();
        parts.push({ code });
      },
      done() {
        flush();
        return parts;
      },
    };
  }

  return { next };
}
