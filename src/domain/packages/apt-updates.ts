import type { DebPolicy, Offer, OfferPlace } from './deb-policy.ts';
import { STATUS_FILE } from './deb-policy.ts';
import { compareDebian } from './deb-version.ts';
import type { InstalledPackage, PackageUpdate } from './state.ts';

/** A version that an index lists. */
export interface Listed {
  readonly version: string;
  readonly architecture: string;
  readonly source: string;
}

/** One index of one suite, as an image sees it. */
export interface AptOrigin {
  readonly place: OfferPlace;
  /** Name of the suite for people. */
  readonly name: string;
  readonly security: boolean;
  find(name: string): readonly Listed[];
}

/** The version that apt would put in place of an installed one; `undefined` when it would leave it. */
export function aptUpdate(
  installed: InstalledPackage,
  {
    origins,
    policy,
    nativeArchitecture,
  }: { origins: readonly AptOrigin[]; policy: DebPolicy; nativeArchitecture: string },
): PackageUpdate | undefined {
  if (installed.held) return undefined;
  const { name, version, source } = installed;
  // Packages for all architectures count as of the native one, and may become so.
  const architecture = installed.architecture === 'all' ? nativeArchitecture : installed.architecture;
  const found = origins.flatMap((origin) =>
    origin
      .find(name)
      .filter((each) => each.architecture === architecture || isOfAll(each, architecture, nativeArchitecture))
      .map((listed) => ({ origin, listed })),
  );
  if (!found.some(({ listed }) => compareDebian(listed.version, version) > 0)) return undefined;
  const candidate = policy.candidate({ name, architecture }, offersOf(installed, found), version);
  if (candidate === undefined || compareDebian(candidate.version, version) <= 0) return undefined;
  const offering = found.filter(({ listed }) => listed.version === candidate.version);
  // What security updates fixed is in every later version, too.
  const fixed = found.filter(
    ({ listed, origin }) =>
      origin.security &&
      compareDebian(listed.version, version) > 0 &&
      compareDebian(listed.version, candidate.version) <= 0,
  );
  const named = offering.find(({ origin }) => origin.security) ?? offering[0]!;
  return {
    name: architecture === nativeArchitecture ? name : `${name}:${architecture}`,
    ...{ source, from: version, to: candidate.version },
    ...{ security: fixed.length > 0, origin: named.origin.name },
  };
}

function isOfAll(listed: Listed, architecture: string, native: string): boolean {
  return listed.architecture === 'all' && architecture === native;
}

interface Found {
  readonly origin: AptOrigin;
  readonly listed: Listed;
}

function offersOf({ version, source }: InstalledPackage, found: readonly Found[]): readonly Offer[] {
  const offers = new Map<string, { version: string; source: string; places: OfferPlace[] }>();
  offers.set(version, { version, source, places: [STATUS_FILE] });
  for (const { origin, listed } of found) {
    const offer = offers.get(listed.version) ?? { version: listed.version, source: listed.source, places: [] };
    offer.places.push(origin.place);
    offers.set(listed.version, offer);
  }
  return [...offers.values()];
}
