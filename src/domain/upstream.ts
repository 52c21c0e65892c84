import type { ImageInput } from './fleet/model.ts';
import type { ResolvedInput } from './inputs.ts';
import {
  atTag,
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  repositoryOf,
} from './reference.ts';
import { type Track, trackLabel } from './track.ts';

/** An image outside the fleet that builds use: one reference, or the highest of the tags that are tracked. */
export interface UpstreamSource {
  /** Without tag and digest when its tags are tracked. */
  readonly upstream: Reference;
  readonly track?: Track;
}

/**
 * The one name under which facts, inputs and reasons know an upstream: `docker.io/library/debian:12`, or where tags
 * are tracked `docker.io/library/node:{22.x}-slim`. The tag that is the highest now is no part of it, since a new tag
 * for the same content is no news.
 */
export function upstreamName({ upstream, track }: UpstreamSource): string {
  return track === undefined ? formatReference(upstream) : `${repositoryOf(upstream)}:${trackLabel(track)}`;
}

/** An upstream's name as a reference; of tracked tags the repository alone. */
export function parseUpstream(name: string): Reference {
  return parseReference(isTracked(name) ? name.slice(0, name.indexOf(':{')) : name);
}

export function isTracked(name: string): boolean {
  return name.includes(':{');
}

/** What a build used of an upstream, with the tag that was the highest. */
export function upstreamReference({ name, tag }: Pick<ResolvedInput, 'name' | 'tag'>): Reference {
  const reference = parseUpstream(name);
  return tag === undefined ? reference : atTag(reference, tag);
}

/** An input's full name with the tag that was used: what policy and annotations speak of. */
export function nameWithTag(input: Pick<ResolvedInput, 'name' | 'tag'>): string {
  return isTracked(input.name) ? formatReference(upstreamReference(input)) : input.name;
}

/** Where tags are tracked, what tells one track of a repository from another, as people write it. */
export function trackedName(input: ImageInput | undefined): string | undefined {
  if (input === undefined || 'golden' in input.source || input.source.track === undefined) return undefined;
  return familiarName(upstreamName(input.source));
}

/** As people write it: `debian:12`, `node:{22.x}-slim`; golden images as in Dockerfiles. */
export function familiarName(name: string): string {
  if (name.startsWith('golden/')) return name;
  const reference = familiarReference(parseUpstream(name));
  return isTracked(name) ? `${reference}${name.slice(name.indexOf(':{'))}` : reference;
}

const CHANGE = 'upstream:';

/** An upstream among the images of which something may have changed; without spaces, whatever is tracked. */
export function changeOfUpstream(name: string): string {
  return `${CHANGE}${encodeURIComponent(name)}`;
}

export function upstreamOfChange(change: string): string | undefined {
  return change.startsWith(CHANGE) ? decodeURIComponent(change.slice(CHANGE.length)) : undefined;
}
