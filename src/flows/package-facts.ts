import pLimit from 'p-limit';
import type { FleetFacts, Known } from '../domain/facts.ts';
import type { Image } from '../domain/fleet/model.ts';
import { fixableFindings } from '../domain/packages/fixable.ts';
import type { PackageState } from '../domain/packages/state.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import type { FixableFinding, OfferedUpdate, Release } from '../domain/staleness.ts';
import type { Finding } from '../domain/verdict.ts';
import type { Archives } from '../packages/archives.ts';
import type { Call } from '../registry/registry.ts';
import type { PlanDeps } from './gather.ts';
import { messageOf } from './steps.ts';

export interface PackageDeps {
  readonly archives: Archives;
  /** What is installed in one platform of an image; each digest is read once ever. */
  readonly stateOf: (reference: Reference, call: Call) => Promise<PackageState>;
  /** Vulnerabilities of a release as known now, by platform. Asked only for releases that have updates. */
  readonly findingsOf: (
    repository: Reference,
    platforms: Release['platforms'],
    call: Call,
  ) => Promise<readonly Finding[]>;
  /** The order of a package manager's versions. */
  readonly compareVersions: (manager: PackageState['manager'], a: string, b: string) => number;
}

/** States are parsed in memory; this many at once keep the processor busy. */
const IMAGES_AT_ONCE = 8;

/** What the archives offer for the releases in use, and which vulnerabilities that fixes. */
export async function gatherPackages(
  images: readonly Image[],
  releases: FleetFacts['releases'],
  deps: PlanDeps,
  signal: AbortSignal,
): Promise<Pick<FleetFacts, 'packages' | 'fixable'>> {
  const { packages, places } = deps;
  if (packages === undefined) return {};
  const offered = new Map<string, Known<readonly OfferedUpdate[]>>();
  const fixable = new Map<string, readonly FixableFinding[]>();
  await pLimit(IMAGES_AT_ONCE).map(images, async (image) => {
    const release = releases.get(image.name);
    if (release?.state !== 'known') return;
    const repository = places.release(image.name);
    const found = await offeredUpdates(repository, release.value, packages, signal);
    if (found.state !== 'known') return void offered.set(image.name, found);
    const { updates, manager } = found.value;
    offered.set(image.name, { state: 'known', value: updates });
    if (updates.length === 0) return;
    const findings = await packages.findingsOf(repository, release.value.platforms, { signal });
    fixable.set(
      image.name,
      fixableFindings(findings, updates, (a, b) => packages.compareVersions(manager, a, b)),
    );
  });
  return { packages: offered, fixable };
}

interface Offered {
  readonly manager: PackageState['manager'];
  readonly updates: readonly OfferedUpdate[];
}

async function offeredUpdates(
  repository: Reference,
  { platforms }: Release,
  { archives, stateOf }: PackageDeps,
  signal: AbortSignal,
): Promise<Known<Offered>> {
  try {
    const asked = Object.entries(platforms).map(async ([platform, digest]) => {
      const state = await stateOf(atDigest(repository, digest!), { signal });
      const updates = await archives.updates(state, { signal });
      return { state, updates: updates.map((update) => ({ ...update, platforms: [platform as Platform] })) };
    });
    const found = await Promise.all(asked);
    const updates = mergeUpdates(found.flatMap((each) => each.updates));
    return { state: 'known', value: { manager: found[0]?.state.manager ?? 'none', updates } };
  } catch (error) {
    if (signal.aborted) throw error;
    return { state: 'unknown', why: `what packages are new is not known: ${messageOf(error)}` };
  }
}

/** The same update on several platforms is one. */
function mergeUpdates(updates: readonly OfferedUpdate[]): readonly OfferedUpdate[] {
  const grouped = Map.groupBy(updates, ({ name, from, to }) => `${name} ${from} ${to}`);
  return [...grouped.values()]
    .map((group) => ({ ...group[0]!, platforms: group.flatMap(({ platforms }) => platforms).sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
