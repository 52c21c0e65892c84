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
  // Those of the main section hide what is installed, too.
  if (offers.excludes.some((pattern) => pattern.matches(installed))) return undefined;
  // Priorities are weighed among what is no downgrade, as libsolv does.
  const found = offersOf(installed, offers).filter(({ listed }) => compareRpm(listed.version, version) >= 0);
  const best = Math.min(...found.map(({ origin }) => origin.priority));
  const [first, ...others] = found.filter(({ origin }) => origin.priority === best);
  if (first === undefined) return undefined;
  const { origin, listed } = others.reduce(
    (a, b) => (compareRpm(b.listed.version, a.listed.version) > 0 ? b : a),
    first,
  );
  if (compareRpm(listed.version, version) === 0) return undefined;
  const advised = offers.origins.flatMap(({ findSecurity }) => findSecurity(name));
  const security = advised.some((fixed) => isFixed(fixed, version, found));
  const isNative = [offers.nativeArchitecture, 'noarch'].includes(architecture);
  return {
    name: isNative ? name : `${name}.${architecture}`,
    ...{ source, from: version, to: listed.version, security, origin: origin.name },
  };
}

/** An advisory counts, as in `dnf upgrade --security`, when its version or a later one of its architecture is offered. */
function isFixed(fixed: RpmListed, installed: string, offered: readonly Offer[]): boolean {
  if (compareRpm(fixed.version, installed) <= 0) return false;
  return offered.some(
    ({ listed }) => listed.architecture === fixed.architecture && compareRpm(listed.version, fixed.version) >= 0,
  );
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
