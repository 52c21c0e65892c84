import { RE2JS } from 're2js';
import type { Pin } from './deb-preferences.ts';
import type { DebRelease } from './deb-release.ts';
import { compareDebian } from './deb-version.ts';

/** Where a version is offered: what pins look at. */
export interface OfferPlace extends Pick<DebRelease, 'origin' | 'label' | 'suite' | 'codename' | 'version'> {
  readonly notAutomatic: boolean;
  readonly butAutomaticUpgrades: boolean;
  readonly component: string;
  /** Of the index. */
  readonly architecture: string;
  /** Host of the archive; empty for the status file. */
  readonly site: string;
  /** dpkg's status file: what is installed, from nowhere. */
  readonly isStatus?: boolean;
}

export interface Offer {
  readonly version: string;
  readonly source: string;
  readonly places: readonly OfferPlace[];
}

/** What pins are asked about. */
export interface Subject {
  readonly name: string;
  readonly architecture: string;
}

export interface DebPolicy {
  /**
   * The version that apt would install: the highest priority wins, then the newest; nothing is downgraded below
   * priority 1000 (apt_preferences(5), "APT's Default Priority Assignments").
   * @param offers the installed version among them, with the status file as one of its places
   */
  candidate(subject: Subject, offers: readonly Offer[], installed: string): Offer | undefined;
}

export const STATUS_FILE: OfferPlace = {
  ...{ origin: '', label: '', suite: 'now', codename: 'now', version: '', component: '', architecture: '', site: '' },
  ...{ notAutomatic: false, butAutomaticUpgrades: false, isStatus: true },
};

export interface PolicyOptions {
  readonly pins: readonly Pin[];
  /** `APT::Default-Release`. */
  readonly defaultRelease?: string | undefined;
  readonly nativeArchitecture: string;
}

/** The policy of one image, as apt 2.6 has it (apt-pkg/policy.cc). */
export function createDebPolicy({ pins, defaultRelease, nativeArchitecture }: PolicyOptions): DebPolicy {
  const target: Pin[] = defaultRelease
    ? [{ packages: ['*'], kind: 'release', data: defaultRelease, priority: 990 }]
    : [];
  const general = [...target, ...pins.filter(isGeneral)];
  const specific = pins.filter((pin) => !isGeneral(pin));
  const known = new Map<OfferPlace, number>();
  const placePriority = (place: OfferPlace): number => {
    const found = known.get(place) ?? general.find((pin) => matchesPlace(pin, place))?.priority ?? presetOf(place);
    known.set(place, found);
    return found;
  };
  const priorityOf = (subject: Subject, offer: Offer, installed: string): number => {
    const own = specific.find((pin) => matchesOffer(pin, subject, offer, nativeArchitecture));
    if (own !== undefined) {
      if (own.priority === NEVER || offer.places.some((place) => placePriority(place) !== NEVER)) return own.priority;
    }
    const each = offer.places.map((place) =>
      place.isStatus && offer.version !== installed ? -1 : placePriority(place),
    );
    return each.length === 0 ? 0 : Math.max(...each);
  };
  return {
    candidate(subject, offers, installed) {
      const newestFirst = offers.toSorted((a, b) => compareDebian(b.version, a.version));
      let best: { offer: Offer; priority: number } | undefined;
      for (const offer of newestFirst) {
        const priority = priorityOf(subject, offer, installed);
        if (priority === 0 || priority <= (best?.priority ?? -1)) continue;
        if (priority < DOWNGRADES && compareDebian(offer.version, installed) < 0) continue;
        best = { offer, priority };
      }
      return best?.offer;
    },
  };
}

const DOWNGRADES = 1000;
/** What apt itself takes for "never", whatever else is said. */
const NEVER = -32768;

function presetOf(place: OfferPlace): number {
  if (place.isStatus) return 100;
  if (place.butAutomaticUpgrades) return 100;
  return place.notAutomatic ? 1 : 500;
}

/** `Package: *`; a version cannot be meant for everything. */
function isGeneral({ packages, kind }: Pin): boolean {
  return kind !== 'version' && packages.length === 1 && packages[0] === '*';
}

function matchesOffer(pin: Pin, subject: Subject, offer: Offer, native: string): boolean {
  if (!pin.packages.some((pattern) => matchesName(pattern, subject, offer, native))) return false;
  if (pin.kind === 'version') return matchesVersion(pin.data, offer.version);
  return offer.places.some((place) => matchesPlace(pin, place));
}

/** `name`, `name:architecture`, patterns of both, and `src:name`. Without an architecture the native one is meant. */
function matchesName(written: string, { name, architecture }: Subject, { source }: Offer, native: string): boolean {
  const bySource = written.startsWith('src:');
  const pattern = bySource ? written.slice(4) : written;
  const colon = pattern.startsWith('/') ? -1 : pattern.lastIndexOf(':');
  const wanted = colon === -1 ? native : pattern.slice(colon + 1);
  const actual = architecture === 'all' ? native : architecture;
  if (wanted !== 'any' && wanted !== (wanted === 'native' ? native : actual)) return false;
  if (wanted === 'native' && actual !== native) return false;
  return matches(colon === -1 ? pattern : pattern.slice(0, colon), bySource ? source : name, { exact: true });
}

function matchesVersion(data: string, version: string): boolean {
  return data.endsWith('*') && version.startsWith(data.slice(0, -1)) ? true : matches(data, version);
}

function matchesPlace({ kind, data }: Pick<Pin, 'kind' | 'data'>, place: OfferPlace): boolean {
  if (kind === 'origin') {
    const site = /^"(.*)"$/.exec(data)?.[1] ?? data;
    return site === '' ? place.site === '' && !place.isStatus : place.site !== '' && matches(site, place.site);
  }
  if (data === '*') return true;
  if (!data.includes('=')) {
    if (/^\d/.test(data)) return matchesVersion(data, place.version);
    return matches(data, place.suite) || matches(data, place.codename);
  }
  const fields = data.split(',').map((part) => part.trim());
  const known = fields.filter((part) => part.length >= 3 && FIELDS[part.slice(0, 2).toLowerCase()] !== undefined);
  return known.length > 0 && known.every((part) => matchesField(part, place));
}

const FIELDS: Readonly<
  Record<string, 'version' | 'origin' | 'suite' | 'codename' | 'label' | 'component' | 'architecture'>
> = {
  'v=': 'version',
  'o=': 'origin',
  'a=': 'suite',
  'n=': 'codename',
  'l=': 'label',
  'c=': 'component',
  'b=': 'architecture',
};

function matchesField(part: string, place: OfferPlace): boolean {
  const field = FIELDS[part.slice(0, 2).toLowerCase()]!;
  const wanted = part.slice(2);
  return field === 'version' ? matchesVersion(wanted, place.version) : matches(wanted, place[field]);
}

/** A shell pattern, or an expression between slashes; case does not count (fnmatch(3) with FNM_CASEFOLD). */
function matches(pattern: string, text: string, { exact = false } = {}): boolean {
  if (exact && !/[*?[]|^\/.*\/$/.test(pattern)) return pattern === text;
  return compile(pattern).test(text);
}

const compiled = new Map<string, { test(text: string): boolean }>();

function compile(pattern: string): { test(text: string): boolean } {
  let found = compiled.get(pattern);
  if (found === undefined) {
    if (compiled.size > 1000) compiled.clear();
    found = compileNew(pattern);
    compiled.set(pattern, found);
  }
  return found;
}

function compileNew(pattern: string): { test(text: string): boolean } {
  const expression = /^\/(.*)\/$/.exec(pattern)?.[1];
  const text = expression ?? `^(?:${fromGlob(pattern)})$`;
  try {
    // Linear in time: the pattern comes from an image.
    const found = RE2JS.compile(text, RE2JS.CASE_INSENSITIVE | RE2JS.DOTALL);
    return { test: (subject) => found.matcher(subject).find() };
  } catch {
    return { test: () => false };
  }
}

/** `*` also stands for slashes here, as fnmatch does without FNM_PATHNAME. */
function fromGlob(pattern: string): string {
  const parts = pattern.match(/\*|\?|\[[!^]?\]?[^\]]*\]|\\.|[^*?[\\]+|./gs) ?? [];
  return parts
    .map((part) => {
      if (part === '*') return '.*';
      if (part === '?') return '.';
      if (part.length > 2 && part.startsWith('[')) return part.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
      return RE2JS.quote(part.length === 2 && part.startsWith('\\') ? part[1]! : part);
    })
    .join('');
}
