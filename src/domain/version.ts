import semver from 'semver';
import type { Reason } from './staleness.ts';

const VERSION_TAG = /^\d+\.\d+\.\d+$/;

/**
 * The next version in a line: patch when only inputs moved, minor when the definition changed.
 * A line of two parts (`3.11`) fixes the minor, so that only the patch is ours.
 * @param line `12` or `3.11`
 * @param taken every tag of the repository; what is no version of this line is ignored
 */
export function nextVersion(line: string, taken: readonly string[], reasons: readonly Reason[]): string {
  const newest = newestOfLine(line, taken);
  if (newest === undefined) return line.includes('.') ? `${line}.0` : `${line}.0.0`;
  const byDefinition = reasons.some((reason) => reason.kind === 'definition-changed');
  const level = byDefinition && !line.includes('.') ? 'minor' : 'patch';
  return semver.inc(newest, level)!;
}

/** The highest version tag of a line, `undefined` when there is none. */
export function newestOfLine(line: string, tags: readonly string[]): string | undefined {
  const versions = tags.filter((tag) => VERSION_TAG.test(tag) && isOfLine(line, tag));
  return versions.sort(semver.rcompare)[0];
}

export function isOfLine(line: string, version: string): boolean {
  return version.startsWith(`${line}.`);
}

/**
 * The moving tags of a version, in the order in which they move: `12.4`, `12`, then the named channels.
 * The tag of the line moves last of its own, since it is the one that says which release is in use.
 */
export function channelsOf(line: string, version: string, named: readonly string[]): readonly string[] {
  const { major, minor } = semver.parse(version)!;
  const narrow = `${major}.${minor}`;
  return [...named, ...(narrow === line ? [] : [narrow]), line];
}
