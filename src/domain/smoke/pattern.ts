import { RE2JS } from 're2js';
import { mismatch, quote } from './words.ts';

/** Whether a regular expression (RE2) matches somewhere in a text, as Go's regexp.MatchString. */
export function matches(pattern: string, text: string): boolean {
  return RE2JS.compile(pattern).matcher(text).find();
}

/** What a text has not, although it must, and has, although it must not. */
export function judgeText(
  what: string,
  text: string,
  { expected, excluded }: { expected: readonly string[]; excluded: readonly string[] },
): readonly string[] {
  const missing = expected.filter((pattern) => !matches(pattern, text));
  const present = excluded.filter((pattern) => matches(pattern, text));
  return [
    ...missing.map((pattern) => mismatch(what, `a match of ${quote(pattern)}`, quote(text))),
    ...present.map((pattern) => mismatch(what, `no match of ${quote(pattern)}`, quote(text))),
  ];
}
