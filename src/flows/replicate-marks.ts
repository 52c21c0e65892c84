import { atDigest } from '../domain/reference.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { ANCHOR_DIGEST, ensureAnchor } from './marks.ts';
import type { Pair } from './replicate.ts';
import { copyReferrers } from './replicate-release.ts';

/**
 * The log of versions, channels, quarantines and approvals. Nobody reads it at a replica, until ours is lost: then
 * nothing else knows which versions were given out, and what must not be used again.
 */
export async function followMarks(
  { from, to }: Pick<Pair, 'from' | 'to'>,
  registry: Registry,
  call: Call,
): Promise<void> {
  const ours = atDigest(from, ANCHOR_DIGEST);
  if ((await registry.head(ours, call)) === undefined) return;
  await ensureAnchor(registry, to, call);
  await copyReferrers(ours, to, registry, call);
}
