import { compareApk, isFuzzyApk } from './apk-version.ts';
import type { InstalledPackage, PackageUpdate } from './state.ts';

/** One line of /etc/apk/world: what somebody wants of a package. */
export interface ApkWish {
  readonly name: string;
  /** `edge` of `name@edge`. */
  readonly tag?: string;
  /** `=`, `<`, `>=`, `~` …, `><` for one checksum; absent: any version. */
  readonly operator?: string;
  readonly version?: string;
  /** `!name`: none of these versions. */
  readonly conflict: boolean;
}

/** Reads /etc/apk/world (apk-world(5)). */
export function parseApkWorld(text: string): readonly ApkWish[] {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .flatMap((word) => {
      const [, not, name, tag, operator, version] =
        /^(!?)([^<>=~@]+)(?:@([^<>=~]+))?(?:([<>=~]+)(.+))?$/.exec(word) ?? [];
      if (name === undefined) return [];
      return [
        {
          ...{ name, conflict: not === '!' },
          ...(tag === undefined ? {} : { tag }),
          ...(operator === undefined || version === undefined ? {} : { operator, version }),
        },
      ];
    });
}

/** A version that an index lists. */
export interface ApkListed {
  readonly version: string;
  readonly architecture: string;
  /** The package that it was built with. */
  readonly source: string;
}

/** An archive as an image sees it. */
export interface ApkOrigin {
  readonly name: string;
  readonly tag?: string;
  find(name: string): readonly ApkListed[];
}

export interface ApkOffers {
  /** In the order of the image. */
  readonly origins: readonly ApkOrigin[];
  readonly world: readonly ApkWish[];
  readonly architectures: readonly string[];
}

/**
 * The version that `apk upgrade` would put in place of an installed one; `undefined` when it would leave it. Archives
 * with a tag count for packages only that world takes from there, and for these before all others (compare_providers
 * in src/solver.c). Dependencies are not looked at.
 */
export function apkUpdate(
  installed: InstalledPackage,
  { origins, world, architectures }: ApkOffers,
): PackageUpdate | undefined {
  const { name, version, source } = installed;
  const wishes = world.filter((wish) => wish.name === name);
  const tags = wishes.flatMap(({ tag }) => tag ?? []);
  const found = origins
    .filter(({ tag }) => tag === undefined || tags.includes(tag))
    .flatMap((origin) =>
      origin
        .find(name)
        .filter((each) => each.architecture === 'noarch' || architectures.includes(each.architecture))
        .filter((each) => wishes.every((wish) => isWished(each.version, wish)))
        .map((listed) => ({ origin, listed })),
    );
  const tagged = found.filter(({ origin }) => origin.tag !== undefined);
  const [best, ...others] = tagged.length > 0 ? tagged : found;
  if (best === undefined) return undefined;
  const newest = others.reduce((a, b) => (compareApk(b.listed.version, a.listed.version) > 0 ? b : a), best);
  if (compareApk(newest.listed.version, version) <= 0) return undefined;
  // What apk updates fix is known from the scanner alone: indexes do not tell.
  return { name, source, from: version, to: newest.listed.version, security: false, origin: newest.origin.name };
}

function isWished(version: string, { operator, version: wanted, conflict }: ApkWish): boolean {
  if (operator === undefined || wanted === undefined) return !conflict;
  // One package by its checksum: as good as held.
  if (operator === '><') return conflict;
  const order = operator.includes('~') && isFuzzyApk(version, wanted) ? 0 : compareApk(version, wanted);
  const fits = order === 0 ? /[=~]/.test(operator) : operator.includes(order < 0 ? '<' : '>');
  return fits !== conflict;
}
