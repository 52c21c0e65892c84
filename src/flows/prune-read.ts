import pLimit from 'p-limit';
import type { Digest } from '../domain/digest.ts';
import { type Stored, subjectOfTag } from '../domain/prune/stored.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import { parseManifest } from '../registry/manifest.ts';
import { type Call, isIndex, type Manifest, type Registry, type StoredManifest } from '../registry/registry.ts';

/** A manifest with what it says. */
export interface Read extends Stored {
  readonly manifest: Manifest;
}

/** All of a repository that can be found: what tags name, what that holds, and what refers to it. */
export interface ReadRepository {
  readonly reference: Reference;
  readonly tags: readonly string[];
  readonly manifests: ReadonlyMap<Digest, Read>;
}

const AT_ONCE = 8;

/** @param options.referrers also what refers to images; in staging and mirror nothing does */
export async function readRepository(
  registry: Registry,
  reference: Reference,
  { referrers, signal }: Call & { readonly referrers: boolean },
): Promise<ReadRepository> {
  const limit = pLimit(AT_ONCE);
  const get = (at: Reference) => limit(() => registry.manifest(at, { signal }));
  const tags = await registry.tags(reference, { signal });
  const found = new Map<Digest, Read>();
  const named = await Promise.all(tags.map(async (tag) => [tag, await get(atTag(reference, tag))] as const));
  const open: Digest[] = [];
  for (const [tag, stored] of named) {
    // A tag that went away meanwhile names nothing any more
    if (stored !== undefined) open.push(...enter(found, stored, tag));
  }
  while (open.length > 0) {
    const batch = [...new Set(open.splice(0))];
    const missing = batch.filter((digest) => !found.has(digest));
    const more = await Promise.all(missing.map((digest) => get(atDigest(reference, digest))));
    for (const stored of more) if (stored !== undefined) open.push(...enter(found, stored));
    if (!referrers) continue;
    const images = batch.filter((digest) => isImage(found.get(digest)));
    const lists = images.map((digest) => limit(() => registry.referrers(atDigest(reference, digest), { signal })));
    const refer = (await Promise.all(lists)).flat().map(({ digest }) => digest);
    open.push(...refer.filter((digest) => !found.has(digest)));
  }
  return { reference, tags, manifests: found };
}

/** @returns what is to be looked at next: itself, and its children */
function enter(found: Map<Digest, Read>, stored: StoredManifest, tag?: string): Digest[] {
  const { digest, size, mediaType } = stored.descriptor;
  const known = found.get(digest);
  if (known !== undefined) {
    if (tag !== undefined) found.set(digest, { ...known, tags: [...known.tags, tag] });
    return [];
  }
  const manifest = parseManifest(stored.bytes, 'a manifest');
  const children = isIndex(mediaType) ? (manifest.manifests ?? []).map((child) => child.digest) : [];
  const blobs = [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])];
  const { subject } = manifest;
  found.set(digest, {
    digest,
    size,
    manifest,
    tags: tag === undefined ? [] : [tag],
    blobs: blobs.map((blob) => ({ digest: blob.digest, size: blob.size })),
    children,
    ...(subject && { subject: subject.digest }),
  });
  return [digest, ...children];
}

/** Not a signature, a list of referrers, or something that refers to another: those have no referrers of their own. */
function isImage(read: Read | undefined): boolean {
  if (read === undefined || read.subject !== undefined || read.manifest.artifactType !== undefined) return false;
  return !read.tags.some((tag) => subjectOfTag(tag) !== undefined);
}
