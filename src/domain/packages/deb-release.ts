import { type Digest, isDigest } from '../digest.ts';
import { parseDeb822, type Stanza, wordsOf } from './deb822.ts';

/** What a suite says about itself in its (In)Release file. */
export interface DebRelease {
  readonly origin: string;
  readonly label: string;
  /** apt's "archive": `oldstable-security`. */
  readonly suite: string;
  readonly codename: string;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly date?: number;
  readonly validUntil?: number;
  readonly byHash: boolean;
  readonly notAutomatic: boolean;
  readonly butAutomaticUpgrades: boolean;
  /** Packages of architecture `all` have an index of their own. */
  readonly ownIndexOfAll: boolean;
  /** By path below the suite. */
  readonly files: ReadonlyMap<string, IndexFile>;
}

export interface IndexFile {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** Parses a Release file; `undefined` when it has no list of files by SHA256. */
export function parseDebRelease(text: string): DebRelease | undefined {
  const [stanza] = parseDeb822(text);
  const list = stanza?.get('sha256');
  if (stanza === undefined || list === undefined) return undefined;
  const field = (name: string) => stanza.get(name) ?? '';
  return {
    origin: field('origin'),
    label: field('label'),
    suite: field('suite') || field('codename'),
    codename: field('codename'),
    version: field('version'),
    ...timeOf(stanza, 'date', 'date'),
    ...timeOf(stanza, 'valid-until', 'validUntil'),
    byHash: isYes(field('acquire-by-hash')),
    notAutomatic: isYes(field('notautomatic')),
    butAutomaticUpgrades: isYes(field('butautomaticupgrades')),
    ownIndexOfAll:
      wordsOf(stanza, 'architectures').includes('all') &&
      !wordsOf(stanza, 'no-support-for-architecture-all').includes('Packages'),
    files: parseFiles(list),
  };
}

function timeOf<Key extends string>(stanza: Stanza, field: string, key: Key) {
  const time = Date.parse(stanza.get(field) ?? '');
  return (Number.isNaN(time) ? {} : { [key]: time }) as { [K in Key]?: number };
}

function parseFiles(list: string): ReadonlyMap<string, IndexFile> {
  const files = new Map<string, IndexFile>();
  for (const line of list.split('\n')) {
    const [hex = '', size = '', path] = line.trim().split(/\s+/);
    const digest = `sha256:${hex.toLowerCase()}`;
    if (path !== undefined && isDigest(digest)) files.set(path, { digest, size: Number(size) });
  }
  return files;
}

function isYes(value: string): boolean {
  return /^(yes|true|1)$/i.test(value);
}

/**
 * Whether a suite is one of security updates: Debian says so in its label, Ubuntu in the name of the suite, and so do
 * those who copy them.
 */
export function isSecuritySuite({ label, suite, codename }: DebRelease, written: string): boolean {
  return (
    /security/i.test(label) || [suite, codename, written].some((name) => /[-/](security|updates\/security)$/.test(name))
  );
}
