import { type DnfSection, dnfSectionsOf, isOn, wordsOf } from './dnf-conf.ts';
import { isVersionlock } from './rpm-files.ts';
import { createRpmPattern, type RpmPattern } from './rpm-pattern.ts';
import type { PackageState } from './state.ts';

/** A repository that is on in an image (dnf.conf(5)). */
export interface RpmRepository {
  readonly id: string;
  /** Addresses that may each have it, with a slash at their end. */
  readonly baseUrls: readonly string[];
  /** Tells addresses, one a line. */
  readonly mirrorlist?: string;
  /** Tells addresses and the digest of the index. */
  readonly metalink?: string;
  /** The index must be signed; dnf otherwise trusts the connection. */
  readonly signedIndex: boolean;
  /** Addresses of keys, `file:///etc/pki/rpm-gpg/…` mostly. */
  readonly keys: readonly string[];
  /** A smaller number wins over all versions of a larger one. */
  readonly priority: number;
  readonly excludes: readonly RpmPattern[];
  /** Nothing else is taken; empty: anything. */
  readonly includes: readonly RpmPattern[];
  /** The file that says so. */
  readonly file: string;
}

/** What dnf in an image would go by. */
export interface RpmSetup {
  readonly repositories: readonly RpmRepository[];
  readonly excludes: readonly RpmPattern[];
  readonly locks: readonly RpmPattern[];
  /** `!` lines of versionlock.list. */
  readonly locksOut: readonly RpmPattern[];
}

/** Reads dnf's configuration out of a state. */
export function rpmSetup(state: PackageState): RpmSetup {
  const sections = dnfSectionsOf(state);
  const main = sections.get('main')?.options ?? new Map<string, string>();
  const repositories = [...sections.values()]
    .filter(({ id, options }) => id !== 'main' && isOn(options.get('enabled'), true))
    .map((section) => toRepository(section, main));
  const locked = locksOf(state);
  return {
    repositories,
    excludes: patterns(main, 'exclude'),
    locks: locked.filter((line) => !line.startsWith('!')).map(createRpmPattern),
    locksOut: locked.filter((line) => line.startsWith('!')).map((line) => createRpmPattern(line.slice(1))),
  };
}

function toRepository({ id, options, file }: DnfSection, main: DnfSection['options']): RpmRepository {
  const signed = isOn(options.get('repo_gpgcheck'), isOn(main.get('repo_gpgcheck'), false));
  const named = (name: 'mirrorlist' | 'metalink') => {
    const value = options.get(name);
    return value ? { [name]: value } : {};
  };
  // yum took a metalink under the name of a mirrorlist.
  const isMetalink = !options.get('metalink') && options.get('mirrorlist')?.includes('metalink');
  return {
    id,
    baseUrls: wordsOf(options.get('baseurl')).map((url) => (url.endsWith('/') ? url : `${url}/`)),
    ...(isMetalink ? { metalink: options.get('mirrorlist')! } : { ...named('mirrorlist'), ...named('metalink') }),
    signedIndex: signed,
    keys: wordsOf(options.get('gpgkey')),
    priority: Number.parseInt(options.get('priority') ?? '', 10) || 99,
    excludes: patterns(options, 'exclude'),
    includes: patterns(options, 'include'),
    file,
  };
}

/** `excludepkgs`, and `exclude` as it was called before. */
function patterns(options: DnfSection['options'], name: 'exclude' | 'include'): readonly RpmPattern[] {
  return [...wordsOf(options.get(`${name}pkgs`)), ...wordsOf(options.get(name))].map(createRpmPattern);
}

/** The list counts only where its plugin is installed. */
function locksOf({ files, installed }: PackageState): readonly string[] {
  if (!installed.some(({ name }) => /-plugins?-versionlock$/.test(name))) return [];
  return Object.keys(files)
    .filter(isVersionlock)
    .flatMap((path) => new TextDecoder().decode(files[path]).split(/\r?\n/))
    .map((line) => line.replace(/\s*#.*$/, '').trim())
    .filter(Boolean);
}
