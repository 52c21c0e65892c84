import type { BumpedPin, KnownDigest, LeftPin, Pin, PinFormat } from '../domain/bump/format.ts';
import type { PinRules } from '../domain/bump/rules.ts';
import type { Digest } from '../domain/digest.ts';
import { formatReference, repositoryOf } from '../domain/reference.ts';
import { isOfLine, isVersionTag } from '../domain/version.ts';
import { knownDigests, type PinRequest } from './pin-changes.ts';
import { withPolicy } from './pin-facts.ts';

/** A file that may hold pins. */
export interface PinFile {
  /** With slashes, from the folder. */
  readonly path: string;
  readonly content: Uint8Array;
}

/** A release that pins may move to, and what is known of the image. */
export interface FolderRelease extends PinRequest {
  /** Every version there is. */
  readonly versions: readonly string[];
  identify(digest: Digest): Promise<KnownDigest | undefined>;
}

export interface ListedPin {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly written: string;
  /** Full name of the image. */
  readonly image: string;
  readonly reference: string;
  /** The version that it comes to; absent for what no registry tells. */
  readonly version?: string;
  /** The release in use; absent for images of others. */
  readonly release?: string;
  /** How many releases it is behind; absent when that is not known. */
  readonly behind?: number;
}

/** Every pin of some files, in their order, with how far each is behind its image. */
export async function listPins(
  files: readonly PinFile[],
  rules: PinRules,
  isWanted: (repository: string) => boolean,
  releases: readonly FolderRelease[],
): Promise<readonly ListedPin[]> {
  const listed: ListedPin[] = [];
  for (const { path, content } of files) {
    const pins = rules.formatFor(path)?.findPins(content, isWanted) ?? [];
    for (const pin of pins) listed.push({ path, ...(await describePin(pin, releases)) });
  }
  return listed;
}

async function describePin(pin: Pin, releases: readonly FolderRelease[]): Promise<Omit<ListedPin, 'path'>> {
  const { line, column, written, reference } = pin;
  const image = repositoryOf(reference);
  const found = { line, column, written, image, reference: formatReference(reference) };
  const release = releases.find(({ repository }) => repository === image);
  if (release === undefined) return found;
  const version = await versionOf(pin, release);
  const newer = release.versions.filter((each) => version !== undefined && isBetween(each, version, release));
  const isKnown = version !== undefined && isOfLine(release.line, version);
  return {
    ...found,
    ...(version !== undefined && { version }),
    release: release.version,
    ...(isKnown && { behind: newer.length }),
  };
}

async function versionOf({ reference }: Pin, release: FolderRelease): Promise<string | undefined> {
  const { tag, digest } = reference;
  if (digest === release.digest) return release.version;
  const known = digest === undefined ? undefined : await release.identify(digest);
  if (known !== undefined) return known.version;
  if (tag !== undefined && isVersionTag(tag)) return tag;
  // A moving tag alone is wherever the release is.
  return digest === undefined && tag !== undefined && isOfLine(`${tag}`, release.version) ? release.version : undefined;
}

function isBetween(version: string, from: string, { line, version: to }: FolderRelease): boolean {
  return isVersionTag(version) && isOfLine(line, version) && compare(version, from) > 0 && compare(version, to) <= 0;
}

function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

export interface FolderBump {
  readonly files: readonly { readonly path: string; readonly before: Uint8Array; readonly after: Uint8Array }[];
  readonly pins: readonly (BumpedPin & { readonly path: string })[];
  readonly left: readonly (LeftPin & { readonly path: string })[];
  readonly current: number;
}

/** Moves the pins of all releases in memory. */
export async function bumpFiles(
  files: readonly PinFile[],
  rules: PinRules,
  releases: readonly FolderRelease[],
): Promise<FolderBump> {
  const changed: FolderBump['files'][number][] = [];
  const pins: FolderBump['pins'][number][] = [];
  const left: FolderBump['left'][number][] = [];
  let current = 0;
  for (const { path, content } of files) {
    const format = rules.formatFor(path);
    if (format === undefined) continue;
    let after = content;
    for (const release of releases) {
      const bump = await bumpFile({ path, content: after }, format, rules, release);
      after = bump.content;
      pins.push(...bump.pins.map((pin) => ({ path, ...pin })));
      left.push(...bump.left.map((pin) => ({ path, ...pin })));
      current += bump.current.length;
    }
    if (after !== content) changed.push({ path, before: content, after });
  }
  return { files: changed, pins, left, current };
}

async function bumpFile({ path, content }: PinFile, format: PinFormat, rules: PinRules, release: FolderRelease) {
  const known = await knownDigests(format.findPins(content, [release.repository]), release.digest, release.identify);
  const policy = rules.policyOf(path, release.repository);
  return format.bump(content, await withPolicy({ ...release, known }, policy, content, release.older));
}
