import semver from 'semver';
import { channelPositions } from './channel-journal.ts';
import type { Digest } from './digest.ts';
import type { Mark } from './marks.ts';
import type { Hold } from './staleness.ts';
import { channelsOf, isOfLine, nextVersion, takenVersions } from './version.ts';

/** A tag of a release repository, and what is behind it. */
export interface FoundTag {
  readonly tag: string;
  readonly digest: Digest;
  /** Ingot assembled it: its annotations say from which inputs. */
  readonly own: boolean;
  /** As its annotation says. */
  readonly version?: string;
  /** With the key of the fleet. Absent: not looked at. */
  readonly signed?: boolean;
}

/** What a repository holds, and what the first release into it would change. */
export interface Adoption {
  /** Versions of the line that others gave out, newest last: never given out again. */
  readonly versions: readonly FoundTag[];
  /** Tags of others that a release would move away from what they name now. */
  readonly moves: readonly FoundTag[];
  /** Tags of others that only a later stage would move. */
  readonly later: readonly FoundTag[];
  /** Tags that do not exist yet and a release would make. */
  readonly makes: readonly string[];
  /** Everything else: ingot never touches it. */
  readonly leaves: readonly string[];
  readonly nextVersion: string;
  /** Tags that need the word of a person: those of others, not adopted yet, that ingot would move. */
  readonly open: readonly string[];
}

export interface AdoptionFacts {
  readonly line: string;
  /** Channels that move with each release, and those that move later. */
  readonly channels: { readonly atOnce: readonly string[]; readonly later: readonly string[] };
  readonly tags: readonly FoundTag[];
  /** Oldest first. */
  readonly marks: readonly Mark[];
}

/** Pure. A tag is ingot's own when ingot made what it names, or moved it there. */
export function decideAdoption({ line, channels, tags, marks }: AdoptionFacts): Adoption {
  const theirs = tags.filter((found) => !isOurs(found, marks));
  const seen = tags.flatMap(({ tag, version }) => (version === undefined ? [tag] : [tag, version]));
  const next = nextVersion(line, takenVersions({ seen, marks }), []);
  const touched = channelsOf(line, next, channels.atOnce);
  const names = new Set(tags.map(({ tag }) => tag));
  const versions = theirs.filter(({ tag }) => isVersionOf(line, tag));
  const known = new Set([...versions.map(({ tag }) => tag), ...touched, ...channels.later]);
  const moves = theirs.filter(({ tag }) => touched.includes(tag));
  const later = theirs.filter(({ tag }) => channels.later.includes(tag));
  return {
    versions: [...versions].sort((a, b) => semver.compare(a.tag, b.tag)),
    ...{ moves, later, nextVersion: next },
    makes: [...touched.filter((tag) => !names.has(tag)), next],
    leaves: theirs.map(({ tag }) => tag).filter((tag) => !known.has(tag) && !isMachinery(tag)),
    open: [...moves, ...later].map(({ tag }) => tag),
  };
}

/** Tags that a release may not move without the word of a person. */
export function foreignTags(tags: readonly Pick<FoundTag, 'tag' | 'own'>[], marks: readonly Mark[]): readonly string[] {
  return tags.filter((found) => !isOurs(found, marks)).map(({ tag }) => tag);
}

/** A tag that somebody put elsewhere is still ours once the journal has moved it. */
function isOurs({ tag, own }: Pick<FoundTag, 'tag' | 'own'>, marks: readonly Mark[]): boolean {
  return (
    own || channelPositions(marks).has(tag) || marks.some((mark) => mark.kind === 'adopted' && mark.channel === tag)
  );
}

/** Why an image is not rebuilt into a repository that is somebody else's. */
export function adoptionHold(
  line: string,
  release: { readonly foreign?: boolean } | undefined,
  marks: readonly Mark[],
): Hold | undefined {
  if (release?.foreign !== true || foreignTags([{ tag: line, own: false }], marks).length === 0) return undefined;
  return { kind: 'not-adopted', tags: [line] };
}

function isVersionOf(line: string, tag: string): boolean {
  return semver.valid(tag) === tag && semver.prerelease(tag) === null && isOfLine(line, tag);
}

/** Tags that registries without a referrers API and signers keep beside images. */
export function isMachinery(tag: string): boolean {
  return /^sha256-[0-9a-f]{64}/.test(tag) || tag === 'ingot-marks';
}
