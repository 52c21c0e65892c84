import type { Digest } from '../digest.ts';

/** A manifest as a repository holds it, with what hangs on it. */
export interface Stored {
  readonly digest: Digest;
  /** Bytes of the manifest itself. */
  readonly size: number;
  /** Empty when only others name it. */
  readonly tags: readonly string[];
  /** Config and layers. */
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
  /** Of an index. */
  readonly children: readonly Digest[];
  /** What it refers to. */
  readonly subject?: Digest;
}

export type StoredManifests = ReadonlyMap<Digest, Stored>;

const ATTACHED = /^sha256-([0-9a-f]{64})(?:\.(?:sig|att|sbom))?$/;

/** The digest that a tag is about: a list of referrers (Referrers Tag Schema), or a legacy signature. */
export function subjectOfTag(tag: string): Digest | undefined {
  const hex = ATTACHED.exec(tag)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}

/**
 * What stays when the roots stay: the children of an index, and whatever refers to something that stays, also when that
 * was lost and is to be put back. Deleting by digest takes every tag along (distribution 2.8 knows no other way), so
 * that a manifest goes only when nothing that stays needs it.
 */
export function closureOf(manifests: StoredManifests, roots: Iterable<Digest>): ReadonlySet<Digest> {
  const attached = attachedTo(manifests);
  const kept = new Set<Digest>();
  const open = [...roots];
  for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
    if (kept.has(digest)) continue;
    kept.add(digest);
    open.push(...(manifests.get(digest)?.children ?? []), ...(attached.get(digest) ?? []));
  }
  return new Set([...kept].filter((digest) => manifests.has(digest)));
}

function attachedTo(manifests: StoredManifests): ReadonlyMap<Digest, readonly Digest[]> {
  const attached = new Map<Digest, Digest[]>();
  for (const { digest, subject, tags } of manifests.values()) {
    const subjects = [...(subject ? [subject] : []), ...tags.flatMap((tag) => subjectOfTag(tag) ?? [])];
    for (const each of subjects) attached.set(each, [...(attached.get(each) ?? []), digest]);
  }
  return attached;
}

/** In the order in which they can go: what names others before what it names, so that nothing is ever half there. */
export function inOrderOfRemoval(manifests: StoredManifests, gone: Iterable<Digest>): readonly Digest[] {
  const rank = (digest: Digest) => {
    const { tags = [], children = [], subject } = manifests.get(digest) ?? {};
    if (subject !== undefined) return 2;
    if (tags.some((tag) => subjectOfTag(tag) !== undefined)) return 3;
    return children.length > 0 ? 0 : 1;
  };
  return [...gone].sort((a, b) => rank(a) - rank(b));
}

/** Blobs and manifests by digest, with their sizes. */
export function contentOf(manifests: StoredManifests, digests: Iterable<Digest>): ReadonlyMap<Digest, number> {
  const content = new Map<Digest, number>();
  for (const digest of digests) {
    const stored = manifests.get(digest);
    if (stored === undefined) continue;
    content.set(digest, stored.size);
    for (const blob of stored.blobs) content.set(blob.digest, blob.size);
  }
  return content;
}

/** Bytes of content that nothing which stays has: repositories of one registry share their blobs. */
export function bytesWithout(content: ReadonlyMap<Digest, number>, staying: ReadonlySet<Digest>): number {
  let bytes = 0;
  for (const [digest, size] of content) if (!staying.has(digest)) bytes += size;
  return bytes;
}
