import { channelPositions } from '../domain/channel-journal.ts';
import type { Digest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Mark } from '../domain/marks.ts';
import { inOrderOfRemoval, subjectOfTag } from '../domain/prune/stored.ts';
import { atDigest, atTag } from '../domain/reference.ts';
import { standingOf } from '../domain/standing.ts';
import { isVersionTag } from '../domain/version.ts';
import type { Lock } from '../ledger/ledger.ts';
import { inTurn } from './channel-moves.ts';
import { openMarkLog } from './mark-log.ts';
import type { Removal } from './prune.ts';
import { isBusy, type PruneDeps } from './prune-facts.ts';
import { PRUNED } from './prune-orphans.ts';
import { childDigests } from './releases.ts';
import { requireTurn } from './repository-lock.ts';

interface Hand {
  readonly deps: PruneDeps;
  /** Who wants it. */
  readonly by: string;
}

/** @returns how many manifests went */
export async function removeFrom(removal: Removal, hand: Hand, signal: AbortSignal): Promise<number> {
  if (removal.area.area !== 'releases') {
    await requireUnchanged(removal, hand, signal);
    return removeAll(removal, hand, signal);
  }
  const { reference } = removal.area.repository;
  // Nobody moves a channel, or gives out a version, meanwhile
  return inTurn(reference, hand.deps, signal, async (lock) => {
    await requireUnchanged(removal, hand, signal);
    return removeReleases(removal, { ...hand, lock }, signal);
  });
}

/**
 * A tag that came since the repository was read may name what is to go, and a run that began since then may count on
 * finding it there, without a tag of its own yet.
 */
async function requireUnchanged({ area }: Removal, { deps }: Hand, signal: AbortSignal): Promise<void> {
  for (const image of area.users) {
    if (await isBusy(image, deps)) throw leftAlone(`a run of ${image.name} began meanwhile`);
  }
  const known = new Set(area.repository.tags);
  const tags = await deps.registry.tags(area.repository.reference, { signal });
  const news = tags.filter((tag) => !known.has(tag));
  if (news.length > 0) throw leftAlone(`${news[0]} was pushed meanwhile`);
}

function leftAlone(why: string): FactoryError {
  return new FactoryError(`left as it is: ${why}; prune again`, { code: 'conflict', retryable: true });
}

/**
 * The mark of each version is written before anything of it goes: a version is never given again, and what a killed
 * process left is found by it.
 */
async function removeReleases(removal: Removal, hand: Hand & { readonly lock: Lock }, signal: AbortSignal) {
  const { deps, by, lock } = hand;
  const { manifests, reference } = removal.area.repository;
  const log = await openMarkLog(reference, lock, deps, signal);
  await requireFree(removal, log.marks, hand, signal);
  const gone = new Set(removal.digests);
  for (const digest of removal.digests) {
    const { tags = [], manifest } = manifests.get(digest) ?? {};
    for (const version of tags.filter(isVersionTag)) {
      const platforms = manifest === undefined ? {} : childDigests(manifest);
      const lost = Object.entries(platforms).filter(([, child]) => gone.has(child!));
      const about = { digest, platforms: Object.fromEntries(lost) as NonNullable<Mark['platforms']> };
      const isMarked = log.marks.some((mark) => mark.note === PRUNED && mark.version === version);
      if (!isMarked) await log.add({ kind: 'version', version, by, note: PRUNED, ...about });
    }
  }
  requireTurn(lock, reference);
  return removeAll(removal, hand, signal);
}

/** A channel may have moved back, or a release been quarantined, since the plan was made. */
async function requireFree({ area, digests }: Removal, marks: readonly Mark[], { deps }: Hand, signal: AbortSignal) {
  const { reference, tags } = area.repository;
  const moving = tags.filter((tag) => !isVersionTag(tag) && subjectOfTag(tag) === undefined);
  const heads = await Promise.all(moving.map((tag) => deps.registry.head(atTag(reference, tag), { signal })));
  const needed = new Set<Digest | undefined>([
    ...heads.map((head) => head?.digest),
    ...[...channelPositions(marks).values()].map(({ digest }) => digest),
    ...standingOf(marks, deps.now().toISOString()).quarantined.map(({ digest }) => digest),
  ]);
  const taken = digests.find((digest) => needed.has(digest));
  if (taken !== undefined) throw leftAlone(`${taken} came into use meanwhile`);
}

async function removeAll({ area, digests }: Removal, { deps }: Hand, signal: AbortSignal): Promise<number> {
  const { registry } = deps;
  const { reference, manifests } = area.repository;
  let removed = 0;
  for (const digest of inOrderOfRemoval(manifests, digests)) {
    if (!(await registry.remove(atDigest(reference, digest), { signal }))) {
      throw new FactoryError('the registry lets nobody delete; allow it there', { code: 'unauthorised' });
    }
    removed += 1;
    // Where a tag is a copy of its own, it outlives its manifest
    for (const tag of manifests.get(digest)?.tags ?? []) {
      if ((await registry.head(atTag(reference, tag), { signal }))?.digest !== digest) continue;
      await registry.remove(atTag(reference, tag), { signal });
    }
  }
  return removed;
}
