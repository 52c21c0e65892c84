import type { RpmPattern } from './rpm-pattern.ts';
import { compareRpm } from './rpm-version.ts';
import type { InstalledPackage, PackageUpdate } from './state.ts';

/** A version that an index lists. */
export interface RpmListed {
  /** `epoch:version-release` */
  readonly version: string;
  readonly architecture: string;
}

/** A repository as an image sees it. */
export interface RpmOrigin {
  readonly name: string;
  readonly priority: number;
  readonly excludes: readonly RpmPattern[];
  readonly includes: readonly RpmPattern[];
  find(name: string): readonly RpmListed[];
  /** Versions that advisories of the type `security` brought. */
  findSecurity(name: string): readonly RpmListed[];
}

export interface RpmOffers {
  readonly origins: readonly RpmOrigin[];
  readonly excludes: readonly RpmPattern[];
  readonly locks: readonly RpmPattern[];
  readonly locksOut: readonly RpmPattern[];
  readonly nativeArchitecture: string;
}

interface Offer {
  readonly origin: RpmOrigin;
  readonly listed: RpmListed;
}

/**
 * The version that `dnf upgrade` would put in place of an installed one; `undefined` when it would leave it.
 * Dependencies, and packages that make others obsolete, are not looked at.
 */
export function rpmUpdate(installed: InstalledPackage, offers: RpmOffers): PackageUpdate | undefined {
  const { name, version, architecture, source } = installed;
  // Priorities are weighed among what is newer, as libsolv does.
  const newer = offersOf(installed, offers).filter(({ listed }) => compareRpm(listed.version, version) > 0);
  const best = Math.min(...newer.map(({ origin }) => origin.priority));
  const [first, ...others] = newer.filter(({ origin }) => origin.priority === best);
  if (first === undefined) return undefined;
  const { origin, listed } = others.reduce(
    (a, b) => (compareRpm(b.listed.version, a.listed.version) > 0 ? b : a),
    first,
  );
  // What advisories fixed is in every later version, too; dnf counts those of the same architecture alone.
  const fixed = offers.origins
    .flatMap((each) => each.findSecurity(name))
    .filter((each) => each.architecture === architecture && listed.architecture === architecture)
    .map((each) => each.version);
  const security = fixed.some((each) => compareRpm(each, version) > 0 && compareRpm(each, listed.version) <= 0);
  const isNative = [offers.nativeArchitecture, 'noarch'].includes(architecture);
  return {
    name: isNative ? name : `${name}.${architecture}`,
    ...{ source, from: version, to: listed.version, security, origin: origin.name },
  };
}

function offersOf(installed: InstalledPackage, offers: RpmOffers): readonly Offer[] {
  const { origins, excludes, locks, locksOut, nativeArchitecture } = offers;
  const { name, architecture } = installed;
  const offered = origins.flatMap((origin) =>
    origin
      .find(name)
      .filter((listed) => fits(listed.architecture, architecture, nativeArchitecture))
      .filter((listed) => isModular(listed.version) === isModular(installed.version))
      .map((listed) => ({ origin, listed, identity: { name, ...listed } })),
  );
  const lock = locks.filter((each) => [installed, ...offered.map(({ identity }) => identity)].some(each.matches));
  return offered.filter(
    ({ origin, identity }) =>
      ![...excludes, ...origin.excludes, ...locksOut].some((pattern) => pattern.matches(identity)) &&
      (origin.includes.length === 0 || origin.includes.some((pattern) => pattern.matches(identity))) &&
      (lock.length === 0 || lock.some((pattern) => pattern.matches(identity))),
  );
}

/** An architecture stays, but a package may begin or cease to be for all of them. */
function fits(offered: string, installed: string, native: string): boolean {
  if (offered === installed || offered === 'noarch') return true;
  return installed === 'noarch' && offered === native;
}

/** Packages of modules say so in their release: `1.module+el8.9.0+1+a2b3c4`. */
function isModular(version: string): boolean {
  return /\.module[+_]/.test(version);
}
