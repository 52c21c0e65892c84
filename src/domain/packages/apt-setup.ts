import { type AptOptions, isAptConf, isOff, parseAptConf } from './apt-conf.ts';
import { DPKG_ARCHITECTURES, debSourcesOf, inOrder } from './deb-files.ts';
import { createDebPolicy, type DebPolicy } from './deb-policy.ts';
import { isPreferences, parsePreferences } from './deb-preferences.ts';
import type { DebSource } from './deb-sources.ts';
import type { PackageState } from './state.ts';

/** What apt in an image would go by. */
export interface AptSetup {
  /** Each suite of each archive once. */
  readonly sources: readonly DebSource[];
  /** The native one first. */
  readonly architectures: readonly string[];
  readonly policy: DebPolicy;
  /** `APT::Default-Release`. */
  readonly defaultRelease?: string;
  /** Of sources that do not say. */
  readonly checkValidUntil: boolean;
}

/** Reads apt's configuration out of a state. */
export function aptSetup(state: Pick<PackageState, 'files' | 'architecture'>): AptSetup {
  const { files, architecture } = state;
  const options = optionsOf(files);
  const foreign = new TextDecoder().decode(files[DPKG_ARCHITECTURES]).split(/\s+/).filter(Boolean);
  const defaultRelease = options.get('apt::default-release');
  return {
    sources: eachOnce(debSourcesOf(files)),
    architectures: [...new Set([architecture, ...foreign])],
    policy: createDebPolicy({
      pins: inOrder(files, isPreferences, '/etc/apt/preferences').flatMap(([, text]) => parsePreferences(text)),
      defaultRelease,
      nativeArchitecture: architecture,
    }),
    ...(defaultRelease === undefined ? {} : { defaultRelease }),
    checkValidUntil: !isOff(options, 'acquire::check-valid-until'),
  };
}

/** apt.conf is read after apt.conf.d, so that it has the last word. */
function optionsOf(files: PackageState['files']): AptOptions {
  const [last, ...others] = inOrder(files, isAptConf, '/etc/apt/apt.conf');
  if (last === undefined) return new Map();
  const ordered = last[0] === '/etc/apt/apt.conf' ? [...others, last] : [last, ...others];
  return parseAptConf(ordered.map(([, text]) => text));
}

function eachOnce(sources: readonly DebSource[]): readonly DebSource[] {
  const seen = new Set<string>();
  return sources.filter((source) => {
    const key = JSON.stringify([source.uri, source.suite, source.components, source.architectures]);
    return !seen.has(key) && seen.add(key);
  });
}

/** Where a suite's Release file is, before mirrors; a suite that ends with a slash is a folder of its own. */
export function suiteAddress({ uri, suite }: DebSource, nativeArchitecture: string): string {
  const named = suite.replaceAll('$(ARCH)', nativeArchitecture);
  const address = isFlat({ suite }) ? uri + named.replace(/^\/+/, '') : `${uri}dists/${named}/`;
  return new URL(address).href;
}

export function isFlat({ suite }: Pick<DebSource, 'suite'>): boolean {
  return suite.endsWith('/');
}

/** The indexes that a source has of an image's architectures, as paths below its Release file. */
export function indexPaths(source: DebSource, architectures: readonly string[], ownIndexOfAll: boolean) {
  if (isFlat(source)) return [{ path: 'Packages', component: '', architecture: architectures[0] ?? '' }];
  const wanted = architectures.filter((each) => source.architectures?.includes(each) ?? true);
  const listed = ownIndexOfAll && wanted.length > 0 ? [...wanted, 'all'] : wanted;
  return source.components.flatMap((component) =>
    listed.map((architecture) => ({
      path: `${component}/binary-${architecture}/Packages`,
      component,
      architecture,
    })),
  );
}
