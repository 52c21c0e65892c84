import { channelPositions } from '../domain/channel-journal.ts';
import type { Digest } from '../domain/digest.ts';
import type { Mark } from '../domain/marks.ts';
import { subjectOfTag } from '../domain/prune/stored.ts';
import { atDigest } from '../domain/reference.ts';
import type { Call, Registry } from '../registry/registry.ts';
import type { ReadRepository } from './prune-read.ts';

/** The note of the mark that says that a release was pruned. */
export const PRUNED = 'pruned';

/** What is left of something that is gone: an earlier pruning was killed, or somebody deleted by hand. */
export interface Orphan {
  readonly digest: Digest;
  /** What it was attached to, or itself: a platform whose index was pruned. */
  readonly of: Digest;
}

const REMEMBERED_MS = 30 * 86_400_000;

/**
 * Attachments whose subject is gone, and platforms whose index was pruned. What an index still lists, or the journal
 * names, was lost and not pruned: what is attached to it waits for it to be put back.
 */
export async function findOrphans(
  { reference, tags, manifests }: ReadRepository,
  marks: readonly Mark[],
  { registry, now }: { readonly registry: Registry; readonly now: () => Date },
  call: Call,
): Promise<readonly Orphan[]> {
  const since = now().getTime() - REMEMBERED_MS;
  const pruned = marks.filter(({ note, at }) => note === PRUNED && Date.parse(at) > since);
  const platforms = pruned.flatMap((mark) => Object.values(mark.platforms ?? {}));
  const subjects = new Set([
    ...tags.flatMap((tag) => subjectOfTag(tag) ?? []),
    ...pruned.flatMap(({ digest }) => digest ?? []),
    ...platforms,
  ]);
  const named = new Set<Digest>([
    ...manifests.keys(),
    ...[...manifests.values()].flatMap(({ children, tags: own }) => (own.some(isOfImages) ? children : [])),
    ...[...channelPositions(marks).values()].map(({ digest }) => digest),
  ]);
  const orphans: Orphan[] = [];
  for (const subject of [...subjects].filter((each) => !named.has(each))) {
    const isThere = (await registry.head(atDigest(reference, subject), call)) !== undefined;
    // A run may be about to tag it
    if (isThere && !platforms.includes(subject)) continue;
    const referrers = await registry.referrers(atDigest(reference, subject), call);
    const digests = [...referrers.map(({ digest }) => digest), ...attachedTo(subject, { manifests })];
    orphans.push(...[...(isThere ? [subject] : []), ...digests].map((digest) => ({ digest, of: subject })));
  }
  return orphans;
}

/** A list of referrers names what is attached, and says nothing of images. */
function isOfImages(tag: string): boolean {
  return subjectOfTag(tag) === undefined;
}

function attachedTo(subject: Digest, { manifests }: Pick<ReadRepository, 'manifests'>): Digest[] {
  const found = [...manifests.values()].filter(({ tags }) => tags.some((tag) => subjectOfTag(tag) === subject));
  return found.map(({ digest }) => digest);
}
