import type { Digest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import { bytesWithout, closureOf, contentOf, inOrderOfRemoval } from '../domain/prune/stored.ts';
import { repositoryOf } from '../domain/reference.ts';
import { noteCandidate } from './candidate-note.ts';
import { decidePruning, type PruneArea } from './prune-decide.ts';
import { gatherPruneFacts, type PruneDeps } from './prune-facts.ts';
import { removeFrom } from './prune-remove.ts';
import { messageOf } from './steps.ts';

/** One thing that a registry holds, and what becomes of it. */
export interface PruneItem {
  readonly area: PruneArea['area'];
  readonly image?: string;
  readonly repository: string;
  readonly name: string;
  readonly goes: boolean;
  readonly why: readonly string[];
  /** What would be free: content that nothing else has. Shared by several that go, it counts for each. */
  readonly bytes: number;
}

/** What one repository loses: manifests in the order of their removal. */
export interface Removal {
  readonly area: PruneArea;
  readonly digests: readonly Digest[];
}

export interface PrunePlan {
  readonly items: readonly PruneItem[];
  readonly removals: readonly Removal[];
  readonly areas: readonly PruneArea[];
  /** All that would be free; shared content counted once. */
  readonly bytes: number;
  /** Why less goes than could. */
  readonly unknown: readonly string[];
}

/** Decides what goes, and touches nothing. */
export async function planPruning(deps: PruneDeps, signal: AbortSignal): Promise<PrunePlan> {
  const facts = await gatherPruneFacts(deps, signal);
  const areas = decidePruning(facts, deps.fleet.settings, deps.now().toISOString());
  const kept = areas.map((area) => keptIn(area));
  const staying = new Set(
    areas.flatMap(({ repository }, index) => [...contentOf(repository.manifests, kept[index]!).keys()]),
  );
  const removals = areas.map((area, index) => ({ area, digests: goneIn(area, kept[index]!) }));
  const gone = new Map(removals.flatMap(({ area, digests }) => [...contentOf(area.repository.manifests, digests)]));
  return {
    items: areas.flatMap((area, index) => itemsOf(area, kept[index]!, staying)),
    areas,
    removals: removals.filter(({ digests }) => digests.length > 0),
    bytes: bytesWithout(gone, staying),
    unknown: [...facts.unread, ...facts.pins.unknown],
  };
}

function keptIn({ repository, decisions, fixed }: PruneArea): ReadonlySet<Digest> {
  const roots = decisions.flatMap((decision) => (decision.goes ? [] : decision.roots));
  return closureOf(repository.manifests, [...fixed, ...roots]);
}

/** All that hangs below what goes, without what hangs below something that stays, too. */
function goneIn({ repository, decisions }: PruneArea, kept: ReadonlySet<Digest>): readonly Digest[] {
  const roots = decisions.flatMap(({ goes, roots: each }) => (goes ? each : []));
  // Leftovers of a killed pruning may be known by their digest alone
  const gone = new Set([...roots, ...closureOf(repository.manifests, roots)].filter((digest) => !kept.has(digest)));
  return inOrderOfRemoval(repository.manifests, gone);
}

function itemsOf(area: PruneArea, kept: ReadonlySet<Digest>, staying: ReadonlySet<Digest>): PruneItem[] {
  const { area: where, image, repository } = area;
  return area.decisions.map((decision) => {
    const own = goneIn({ ...area, decisions: [{ ...decision, goes: true }] }, kept);
    const shares = decision.goes && own.length === 0;
    return {
      area: where,
      ...(image && { image }),
      repository: repositoryOf(repository.reference),
      name: decision.name,
      goes: decision.goes && !shares,
      why: shares ? ['its content is that of something that stays'] : decision.why,
      bytes: decision.goes ? bytesWithout(contentOf(repository.manifests, own), staying) : 0,
    };
  });
}

export interface PruneEnd {
  readonly plan: PrunePlan;
  /** Manifests that were removed. */
  readonly removed: number;
  /** What was left where it is after all, and why. */
  readonly problems: readonly string[];
}

/** Does what the plan says, a repository after the other. Killed in the middle, the next call goes on. */
export async function prune(deps: PruneDeps, by: string, signal: AbortSignal): Promise<PruneEnd> {
  const plan = await planPruning(deps, signal);
  const problems: string[] = [];
  const left: PruneArea[] = [];
  let removed = 0;
  for (const removal of plan.removals) {
    const { area } = removal;
    const where = repositoryOf(area.repository.reference);
    const user = left.find((each) => mayNeed(each, area));
    const before = problems.length;
    try {
      if (user !== undefined)
        problems.push(`${where}: left as it is, as ${repositoryOf(user.repository.reference)} is`);
      else removed += await removeFrom(removal, { deps, by }, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof FactoryError)) throw error;
      problems.push(`${where}: ${messageOf(error)}`);
    }
    if (problems.length > before) left.push(area);
  }
  await noteAges(plan, deps, signal);
  return { plan, removed, problems };
}

/** What was to go and stayed may need what was to go with it: its evidence, its base, what was mirrored for it. */
function mayNeed(stayed: PruneArea, area: PruneArea): boolean {
  if (stayed.area === 'mirror') return false;
  if (area.area === 'staging') return stayed.area === 'releases' && stayed.image === area.image;
  return stayed.area === 'releases' || area.area === 'mirror';
}

/** Candidates from before notes were kept: their days are counted from now on. */
async function noteAges({ areas }: PrunePlan, { registry, now }: PruneDeps, signal: AbortSignal): Promise<void> {
  for (const area of areas) {
    for (const key of area.undated ?? []) {
      await noteCandidate(registry, area.repository.reference, key, { now: now(), signal });
    }
  }
}
