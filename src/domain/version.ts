import semver from 'semver';
import type { Mark } from './marks.ts';
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

/** Whether a tag is a whole version, and not a channel. */
export function isVersionTag(tag: string): boolean {
  return VERSION_TAG.test(tag);
}

export function isOfLine(line: string, version: string): boolean {
  return version.startsWith(`${line}.`);
}

/** What is known of the versions of one image. */
export interface VersionFacts {
  /** Of tags, and of what channels point to. */
  readonly seen: readonly string[];
  /** Oldest first. */
  readonly marks: readonly Mark[];
}

/** Every version that must not be given again, also when its tag was deleted. */
export function takenVersions({ seen, marks }: VersionFacts): readonly string[] {
  return [...seen, ...marks.flatMap(({ version }) => version ?? [])];
}

/**
 * The version that a candidate was given before and has not used: a run that was killed takes no second one.
 * @param key of the candidate
 */
export function versionGiven(line: string, key: string, facts: VersionFacts): string | undefined {
  const own = facts.marks.findLast(({ kind, note }) => kind === 'version' && note === key)?.version;
  if (own === undefined || own !== newestOfLine(line, takenVersions(facts))) return undefined;
  const isUsed =
    facts.seen.includes(own) || facts.marks.some((mark) => mark.kind !== 'version' && mark.version === own);
  return isUsed || rivalsFor(own, key, facts.marks).length > 0 ? undefined : own;
}

/**
 * Keys of other candidates that were given the same version: two factories without a Redis in common. Who sees one
 * lets go; who sees none was first, since what is written later sees it.
 */
export function rivalsFor(version: string, key: string, marks: readonly Mark[]): readonly string[] {
  const same = marks.filter((mark) => mark.kind === 'version' && mark.version === version);
  return same.flatMap(({ note = '' }) => (note === key ? [] : [note]));
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
