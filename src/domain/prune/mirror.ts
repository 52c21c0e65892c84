import { type Digest, shortDigest } from '../digest.ts';
import { decide, type PruneDecision } from './decision.ts';

export interface MirrorFacts {
  /** As watched: `docker.io/library/debian:12-slim`. */
  readonly upstreams: readonly string[];
  /** What mirror tags point to. */
  readonly mirrored: readonly Digest[];
  /** Who needs a digest, and how: clauses. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
  /** What could not be asked, or is under way: then all stay. */
  readonly all: readonly string[];
}

/** Which copies of an upstream go: those that no release, candidate, pin or coming build needs. */
export function decideMirror({ upstreams, mirrored, needs, all }: MirrorFacts): readonly PruneDecision[] {
  return mirrored.map((digest) => {
    const stays = [...new Set([...(needs.get(digest) ?? []), ...all])];
    const name = `${upstreams.join(', ')} ${shortDigest(digest)}`;
    return decide(name, [digest], { stays, else: 'no release, candidate or pin needs it, and upstream has moved on' });
  });
}
