/** `epoch:version-release`; both ends may be missing. */
interface Evr {
  readonly epoch: string;
  readonly version: string;
  readonly release: string | undefined;
}

/**
 * The order of rpm's `[epoch:]version[-release]` as `rpmverCmp` has it (rpmio/rpmver.c of rpm 4.18): negative when `a`
 * is older than `b`. No epoch is epoch 0; no release is older than any.
 */
export function compareRpm(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [split(a), split(b)];
  return (
    comparePart(left.epoch, right.epoch) ||
    comparePart(left.version, right.version) ||
    compareReleases(left.release, right.release)
  );
}

function split(text: string): Evr {
  const [, epoch, rest = text] = /^(\d*):(.*)$/s.exec(text) ?? [];
  const hyphen = rest.lastIndexOf('-');
  return {
    epoch: epoch || '0',
    version: hyphen === -1 ? rest : rest.slice(0, hyphen),
    release: hyphen === -1 ? undefined : rest.slice(hyphen + 1),
  };
}

function compareReleases(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return comparePart(a, b);
}

/** Everything but letters, digits, tilde and caret only separates. */
const SEPARATORS = /[^A-Za-z0-9~^]*/y;
const SEGMENT = /\d+|[A-Za-z]+/y;

/** Segments of digits by value, of letters by byte; a tilde is before the end, a caret after it but before the rest. */
function comparePart(a: string, b: string): number {
  if (a === b) return 0;
  let [i, j] = [0, 0];
  for (;;) {
    i += match(SEPARATORS, a, i).length;
    j += match(SEPARATORS, b, j).length;
    const marks = compareMarks(a[i], b[j], i >= a.length, j >= b.length);
    if (marks === 'both') {
      i++;
      j++;
      continue;
    }
    if (marks !== undefined) return marks;
    if (i >= a.length || j >= b.length) return Math.sign(a.length - i - (b.length - j));
    const left = match(SEGMENT, a, i);
    const right = match(SEGMENT, b, j);
    const difference = compareSegments(left, right);
    if (difference !== 0) return difference;
    i += left.length;
    j += right.length;
  }
}

/** What tilde and caret decide; `both` when both have the same one here, `undefined` when none has one. */
function compareMarks(
  left: string | undefined,
  right: string | undefined,
  leftEnds: boolean,
  rightEnds: boolean,
): number | 'both' | undefined {
  if (left === '~' || right === '~') return left === right ? 'both' : left === '~' ? -1 : 1;
  if (left !== '^' && right !== '^') return undefined;
  if (left === right) return 'both';
  if (leftEnds) return -1;
  if (rightEnds) return 1;
  return left === '^' ? -1 : 1;
}

/** Numbers are newer than words. They may be longer than what a float holds exactly: the longer one is larger. */
function compareSegments(left: string, right: string): number {
  const isNumber = /^\d/.test(left);
  if (isNumber !== /^\d/.test(right)) return isNumber ? 1 : -1;
  if (!isNumber) return byText(left, right);
  const [a, b] = [left.replace(/^0+/, ''), right.replace(/^0+/, '')];
  return a.length - b.length || byText(a, b);
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
