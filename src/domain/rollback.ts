import semver from 'semver';
import { isOlder } from './channel-journal.ts';
import type { ChannelTag } from './channel-moves.ts';
import type { Digest } from './digest.ts';
import { FactoryError } from './errors.ts';
import type { Quarantine } from './standing.ts';
import { isOfLine, isVersionTag } from './version.ts';

/** What a rollback is decided from. */
export interface RollbackFacts {
  readonly image: string;
  readonly line: string;
  /** Every tag of the repository. */
  readonly tags: readonly string[];
  /** What the channels point to now, that of the line among them. */
  readonly channels: ReadonlyMap<string, ChannelTag>;
  readonly quarantined: readonly Quarantine[];
  /** The version that a person named. */
  readonly to?: string;
}

/**
 * Which version is to be in use again: the one that was named, or the newest before the one in use that is not
 * quarantined. @throws FactoryError `usage` that says why there is none
 */
export function decideTarget(facts: RollbackFacts): string {
  const { image, line, tags, channels, quarantined, to } = facts;
  const inUse = channels.get(line)?.version;
  if (inUse === undefined) throw usage(`${image} has no release of the line ${line} that could be rolled back`);
  const bad = (version: string) => quarantined.find((each) => each.version === version);
  if (to !== undefined) {
    const quarantine = bad(to);
    if (quarantine !== undefined) throw isQuarantined(image, to, quarantine);
    if (isVersionTag(to) && tags.includes(to)) return to;
    throw usage(`${image} has no version ${to} in the registry; it has ${some(versionsOf(line, tags)) || 'none'}`);
  }
  const older = versionsOf(line, tags).filter((version) => isOlder(version, inUse));
  const target = older.find((version) => bad(version) === undefined);
  if (target !== undefined) return target;
  const why = older.length === 0 ? `${inUse} is the first` : `all before ${inUse} are quarantined`;
  throw usage(`there is no version of ${image} to go back to: ${why}; "ingot quarantine ${image} ${inUse}" marks it`);
}

/** Channels that are ahead of the target, and so move back; that of the line is the last. */
export function channelsAhead({ channels, line }: RollbackFacts, target: string): readonly string[] {
  const ahead = [...channels].filter(([, { version }]) => version !== undefined && isOlder(target, version));
  return ahead.map(([channel]) => channel).sort((a, b) => Number(a === line) - Number(b === line));
}

/** The releases that those channels point to, each once, oldest first. */
export function releasesLeft(
  { channels }: RollbackFacts,
  ahead: readonly string[],
): readonly { version: string; digest: Digest }[] {
  const left = new Map<string, Digest>();
  for (const channel of ahead) {
    const { version, digest } = channels.get(channel)!;
    left.set(version!, digest);
  }
  const all = [...left].map(([version, digest]) => ({ version, digest }));
  return all.sort((a, b) => semver.compare(a.version, b.version));
}

export function isQuarantined(image: string, what: string, { by, why }: Quarantine): FactoryError<'usage'> {
  return usage(`${what} is quarantined by ${by}: ${why}; "ingot unquarantine ${image} ${what}" lifts that`);
}

function versionsOf(line: string, tags: readonly string[]): readonly string[] {
  return tags.filter((tag) => isVersionTag(tag) && isOfLine(line, tag)).sort(semver.rcompare);
}

function some(versions: readonly string[]): string {
  return versions.length > 5 ? `${versions.slice(0, 5).join(', ')} and older` : versions.join(', ');
}

function usage(message: string): FactoryError<'usage'> {
  return new FactoryError(message, { code: 'usage' });
}
