import semver from 'semver';

/** How the groups of a pattern are compared. */
export type GroupOrder = 'number' | 'semver' | 'text';

/** What is no version is below all that are. */
export function compareVersions(a: Version | undefined, b: Version | undefined): number {
  return a === undefined || b === undefined ? Number(a !== undefined) - Number(b !== undefined) : compare3(a, b);
}

function compare3(a: Version, b: Version): number {
  return semver.compare(a.value, b.value) || a.parts - b.parts;
}

type Groups = readonly (string | undefined)[];

/** From left to right; what the pattern does not match is below all that it matches. */
export function compareAllGroups(a: Groups | undefined, b: Groups | undefined, order: GroupOrder): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const differences = a.map((value, index) => compareGroups(value, b[index], order));
  return differences.find((difference) => difference !== 0) ?? 0;
}

/** A group that is not there is below all others. */
function compareGroups(a: string | undefined, b: string | undefined, order: GroupOrder): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  if (order === 'text') return byText(a, b);
  if (order === 'semver') return compareVersions(parseAnyVersion(a), parseAnyVersion(b));
  return compareNumbers(a, b);
}

function compareNumbers(a: string, b: string): number {
  const [left, right] = [toNumber(a), toNumber(b)];
  if (left === undefined || right === undefined) return Number(left !== undefined) - Number(right !== undefined);
  return left < right ? -1 : left > right ? 1 : 0;
}

function toNumber(text: string): bigint | undefined {
  return /^\d+$/.test(text) ? BigInt(text) : undefined;
}

/** By code unit, as tags are ASCII. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export interface Version {
  readonly value: semver.SemVer;
  /** How many numbers are written: `22.11` has two. */
  readonly parts: number;
}

/** Up to three numbers, with or without "v" before and zeros in front (`24.04`). Pre-releases and hashes are none. */
export function parseVersion(text: string): Version | undefined {
  const [, ...found] = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(text) ?? [];
  const numbers = found.filter((part) => part !== undefined).map(Number);
  if (numbers.length === 0 || !numbers.every(Number.isSafeInteger)) return undefined;
  const [major = 0, minor = 0, patch = 0] = numbers;
  return { value: new semver.SemVer(`${major}.${minor}.${patch}`), parts: numbers.length };
}

/** In a pattern a person may have let pre-releases in. */
function parseAnyVersion(text: string): Version | undefined {
  const value = semver.parse(text);
  return parseVersion(text) ?? (value === null ? undefined : { value, parts: 3 });
}

/** Zeros in front of a number are no part of semver, but of versions such as 24.04. */
export function parseRange(range: string): semver.Range | undefined {
  try {
    return range.trim() === '' ? undefined : new semver.Range(range.replace(/(?<![\d])0+(?=\d)/g, ''));
  } catch {
    return undefined;
  }
}
