import { FactoryError } from '../domain/errors.ts';
import { atDigest, atTag, repositoryOf } from '../domain/reference.ts';
import { parseManifest } from '../registry/manifest.ts';
import { inTurn } from './channel-moves.ts';
import { ANNOTATIONS, childDigests } from './releases.ts';
import type { Pair, ReplicateDeps } from './replicate.ts';
import { copyReferrers, taken } from './replicate-release.ts';
import { requireTurn } from './repository-lock.ts';
import { requireVerified } from './verify.ts';

/**
 * Moves a channel at the replica to where it is here, back as well as on: it was decided here. Only onto a release that
 * is whole there, as its version's tag says, and that verifies there.
 * @returns what it moved to; `undefined` when it was there already
 */
export async function followChannel(
  { from, to }: Pair,
  channel: string,
  deps: ReplicateDeps,
  signal: AbortSignal,
): Promise<{ readonly version?: string } | undefined> {
  const { registry, attestor } = deps;
  const isThere = async () => {
    const [ours, theirs] = await Promise.all([from, to].map((each) => registry.head(atTag(each, channel), { signal })));
    return ours === undefined || ours.digest === theirs?.digest;
  };
  if (await isThere()) return undefined;
  return inTurn(to, deps, signal, async (lock) => {
    const stored = await registry.manifest(atTag(from, channel), { signal });
    if (stored === undefined || (await isThere())) return undefined;
    const { mediaType, digest } = stored.descriptor;
    const index = parseManifest(stored.bytes, 'a release');
    const { [ANNOTATIONS.version]: version, [ANNOTATIONS.inputs]: inputs } = index.annotations ?? {};
    // What others pushed was never verified by us: it is neither copied nor named
    if (version === undefined || inputs === undefined) return undefined;
    const holder = await registry.head(atTag(to, version), { signal });
    if (holder === undefined) throw notThere(to, channel, version);
    if (holder.digest !== digest) throw taken(to, version);
    const digests = [digest, ...Object.values(childDigests(index)).map((child) => child!)];
    await requireVerified(
      digests.map((each) => atDigest(to, each)),
      attestor,
      signal,
    );
    requireTurn(lock, to);
    await registry.putManifest(atTag(to, channel), { mediaType, bytes: stored.bytes }, { signal });
    return { version };
  });
}

function notThere(to: Pair['to'], channel: string, version: string): FactoryError {
  const message = `${repositoryOf(to)}:${channel} stays where it is: ${version} is not at the replica`;
  return new FactoryError(message, { code: 'missing-content', retryable: true });
}

/** What was attached to a release since it was copied: newer records of inputs, gates, warnings of a quarantine. */
export async function followReferrers(
  { from, to }: Pair,
  tags: readonly string[],
  { registry }: ReplicateDeps,
  signal: AbortSignal,
): Promise<void> {
  const heads = await Promise.all(tags.map((tag) => registry.head(atTag(from, tag), { signal })));
  const digests = new Set(heads.flatMap((head) => head?.digest ?? []));
  for (const digest of digests) {
    if ((await registry.head(atDigest(to, digest), { signal })) === undefined) continue;
    await copyReferrers(atDigest(from, digest), to, registry, { signal });
  }
}
