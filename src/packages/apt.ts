import { type AptSetup, aptSetup, indexPaths, suiteAddress } from '../domain/packages/apt-setup.ts';
import { type AptOrigin, aptUpdate } from '../domain/packages/apt-updates.ts';
import { mirroredAddress, mirrorOf } from '../domain/packages/archive-address.ts';
import { isSecuritySuite } from '../domain/packages/deb-release.ts';
import type { DebSource } from '../domain/packages/deb-sources.ts';
import type { PackageState } from '../domain/packages/state.ts';
import { untilAborted } from '../lib/until-aborted.ts';
import { writeAptLists } from './apt-lists.ts';
import { type AptSuite, type AptSuites, createAptSuites } from './apt-suites.ts';
import { trustOf } from './apt-trust.ts';
import type { ArchiveOptions } from './archive-fetch.ts';
import { ArchiveError, type Archives, type ListedArchives } from './archives.ts';

export type AptArchives = Archives & ListedArchives;

/** What apt in an image would upgrade, from the signed indexes of the archives that the image names. */
export function createAptArchives(options: ArchiveOptions): AptArchives {
  const { fetch, now, freshForMs = 5 * 60_000 } = options;
  const suites = createAptSuites({ fetch, now, freshForMs });
  return {
    updates: (state, { signal }) => untilAborted(updatesOf(state, suites, options), signal),
    lists: (states, directory, { signal } = {}) => untilAborted(listsOf(states, directory, suites, options), signal),
  };
}

async function listsOf(states: readonly PackageState[], directory: string, suites: AptSuites, options: ArchiveOptions) {
  const wanted = states.flatMap((state) => {
    const setup = aptSetup(state);
    return setup.sources.map(async (source) => {
      const suite = await loadSuite(source, { state, setup, suites, options });
      // The build names archives by their mirrors, too
      const uri = mirroredAddress(source.uri, options.mirrors) ?? source.uri;
      return { source: { ...source, uri }, architectures: setup.architectures, suite };
    });
  });
  return writeAptLists(await Promise.all(wanted), directory);
}

async function updatesOf(state: PackageState, suites: AptSuites, options: ArchiveOptions) {
  const setup = aptSetup(state);
  const origins = (
    await Promise.all(setup.sources.map((source) => originsOf(source, { state, setup, suites, options })))
  ).flat();
  const nativeArchitecture = state.architecture;
  return state.installed
    .flatMap((installed) => aptUpdate(installed, { origins, policy: setup.policy, nativeArchitecture }) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

interface Context {
  readonly state: PackageState;
  readonly setup: AptSetup;
  readonly suites: AptSuites;
  readonly options: Pick<ArchiveOptions, 'mirrors' | 'readKeyring'>;
}

async function originsOf(source: DebSource, context: Context): Promise<readonly AptOrigin[]> {
  const { architectures } = context.setup;
  const suite = await loadSuite(source, context);
  const { release } = suite;
  const site = new URL(source.uri).hostname;
  const name = release.codename || release.suite || source.suite;
  const security = isSecuritySuite(release, source.suite);
  const wanted = indexPaths(source, architectures, release.ownIndexOfAll);
  // A component or architecture that a suite does not have is not asked for, as apt does.
  const found = await Promise.all(
    wanted.map(async ({ path, ...place }) => ({
      index: await suite.index(path),
      place: { ...release, ...place, site },
    })),
  );
  return found.flatMap(({ index, place }) =>
    index === undefined ? [] : [{ place, name, security, find: index.find }],
  );
}

/** The suite of a source, by way of its mirror, trusted by whom the image trusts. */
async function loadSuite(source: DebSource, { state, setup, suites, options }: Context): Promise<AptSuite> {
  if (!/^https?:\/\//i.test(source.uri)) {
    throw new ArchiveError(
      `${source.file} in the image names ${source.uri.replace(/:.*/s, ':')} as a source, which cannot be asked from outside; use an http(s) address, or disable it`,
      { code: 'unavailable' },
    );
  }
  const { url, keyring } = mirrorOf(suiteAddress(source, state.architecture), options.mirrors);
  const mirrorKeyring = keyring === undefined ? undefined : await options.readKeyring(keyring);
  const trust = trustOf(source, state.files, mirrorKeyring);
  return suites.load(url, { ...trust, checkValidUntil: source.checkValidUntil ?? setup.checkValidUntil });
}
