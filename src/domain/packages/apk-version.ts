/** Suffixes of versions, the oldest first; those before `''` are of versions before the plain one. */
const SUFFIXES = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];
const PLAIN = SUFFIXES.indexOf('');

/** In the order in which they may come; where one version ends or differs in kind, the later kind is the older one. */
const KINDS = { first: 0, number: 1, letter: 2, suffix: 3, suffixNumber: 4, hash: 5, revision: 6, end: 7, invalid: 8 };

interface Token {
  readonly kind: number;
  readonly text: string;
}

/**
 * The order of apk's versions, as apk-tools 3.0 has it (src/version.c; versions that a package may have are ordered the
 * same by 2.14, but for numbers with several leading zeros): negative when `a` is older than `b`. What is no version
 * is compared as far as it is one.
 */
export function compareApk(a: string, b: string): number {
  return a === b ? 0 : compare(a, b, false);
}

/** Whether a version has the other one as its beginning: `1.2.3-r0` is `~1.2`. */
export function isFuzzyApk(version: string, prefix: string): boolean {
  return compare(version, prefix, true) === 0;
}

function compare(a: string, b: string, fuzzy: boolean): number {
  const [left, right] = [tokensOf(a), tokensOf(b)];
  for (;;) {
    const [l, r] = [left.next().value!, right.next().value!];
    if (l.kind !== r.kind) return fuzzy && r.kind === KINDS.end ? 0 : compareKinds(l, r);
    if (l.kind >= KINDS.end) return 0;
    const difference = compareTokens(l, r);
    if (difference !== 0) return difference;
  }
}

function compareKinds(left: Token, right: Token): number {
  if (isBefore(left)) return -1;
  if (isBefore(right)) return 1;
  return right.kind - left.kind;
}

function isBefore({ kind, text }: Token): boolean {
  return kind === KINDS.suffix && SUFFIXES.indexOf(text) < PLAIN;
}

function compareTokens(left: Token, right: Token): number {
  const [a, b] = [left.text, right.text];
  switch (left.kind) {
    case KINDS.suffix:
      return SUFFIXES.indexOf(a) - SUFFIXES.indexOf(b);
    case KINDS.number:
      // As Gentoo has it: 1.01 is older than 1.1
      return a[0] === '0' || b[0] === '0' ? byText(a, b) : compareNumbers(a, b);
    case KINDS.letter:
    case KINDS.hash:
      return byText(a, b);
    default:
      return compareNumbers(a, b);
  }
}

const FIRST = /\d+/y;
const NEXT =
  /(?<number>\.\d+)|(?<digits>\d+)|(?<letter>[a-z])|_(?<suffix>[a-z]+)|~(?<hash>[0-9a-f]+)|-r(?<revision>\d+)/y;

/** Ends with a token of the kind `end` or `invalid`. */
function* tokensOf(version: string): Generator<Token, Token> {
  const [first] = matchAt(FIRST, version, 0) ?? [];
  let token: Token = first === undefined ? INVALID : { kind: KINDS.first, text: first };
  for (let at = first?.length ?? 0; token.kind < KINDS.end; ) {
    yield token;
    const match = at < version.length ? matchAt(NEXT, version, at) : undefined;
    if (at >= version.length) token = { kind: KINDS.end, text: '' };
    else if (match === undefined) token = INVALID;
    else token = nextToken(token.kind, match.groups!);
    at += match?.[0].length ?? 0;
  }
  return token;
}

const INVALID: Token = { kind: KINDS.invalid, text: '' };

function nextToken(before: number, groups: Readonly<Record<string, string | undefined>>): Token {
  const { number, digits, letter, suffix, hash, revision } = groups;
  const valid = (kind: number, text: string, latest: number) => (before <= latest ? { kind, text } : INVALID);
  if (number !== undefined) return valid(KINDS.number, number.slice(1), KINDS.number);
  if (digits !== undefined) return before === KINDS.suffix ? { kind: KINDS.suffixNumber, text: digits } : INVALID;
  if (letter !== undefined) return valid(KINDS.letter, letter, KINDS.number);
  if (suffix !== undefined)
    return SUFFIXES.includes(suffix) ? valid(KINDS.suffix, suffix, KINDS.suffixNumber) : INVALID;
  if (hash !== undefined) return valid(KINDS.hash, hash, KINDS.suffixNumber);
  return valid(KINDS.revision, revision!, KINDS.hash);
}

/** They may be longer than what a float holds exactly: the longer one is larger. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return left.length - right.length || byText(left, right);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
