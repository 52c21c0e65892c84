import type { Digest } from '../domain/digest.ts';
import type { Mark } from '../domain/marks.ts';
import { subjectOfTag } from '../domain/prune/stored.ts';
import { atDigest } from '../domain/reference.ts';
import type { Call, Registry } from '../registry/registry.ts';
import type { ReadRepository } from './prune-read.ts';

/** The note of the mark that says that a release was pruned. */
export const PRUNED = 'pruned';

export interface Orphans {
  /** What is left of something that is gone: an earlier pruning was killed, or somebody deleted by hand. */
  readonly digests: readonly Digest[];
  /** Subjects that no tag leads to and that are there: a run may be about to tag them. */
  readonly untagged: readonly Digest[];
}

const REMEMBERED_MS = 30 * 86_400_000;

/** Attachments whose subject is gone, and platforms whose index was pruned. */
export async function findOrphans(
  { reference, tags, manifests }: ReadRepository,
  marks: readonly Mark[],
  { registry, now }: { readonly registry: Registry; readonly now: () => Date },
  call: Call,
): Promise<Orphans> {
  const since = now().getTime() - REMEMBERED_MS;
  const pruned = marks.filter(({ note, at }) => note === PRUNED && Date.parse(at) > since);
  const platforms = pruned.flatMap((mark) => Object.values(mark.platforms ?? {}));
  const subjects = new Set([
    ...tags.flatMap((tag) => subjectOfTag(tag) ?? []),
    ...pruned.flatMap(({ digest }) => digest ?? []),
    ...platforms,
  ]);
  const digests: Digest[] = [];
  const untagged: Digest[] = [];
  for (const subject of [...subjects].filter((each) => !manifests.has(each))) {
    const isThere = (await registry.head(atDigest(reference, subject), call)) !== undefined;
    if (isThere && platforms.includes(subject)) digests.push(subject);
    else if (isThere) untagged.push(subject);
    if (isThere && !platforms.includes(subject)) continue;
    const referrers = await registry.referrers(atDigest(reference, subject), call);
    digests.push(...referrers.map(({ digest }) => digest), ...attachedTo(subject, { manifests }));
  }
  return { digests: [...new Set(digests)], untagged };
}

function attachedTo(subject: Digest, { manifests }: Pick<ReadRepository, 'manifests'>): Digest[] {
  const found = [...manifests.values()].filter(({ tags }) => tags.some((tag) => subjectOfTag(tag) === subject));
  return found.map(({ digest }) => digest);
}
