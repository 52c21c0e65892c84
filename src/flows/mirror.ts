import type { Digest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { MirrorSettings } from '../domain/fleet/settings-retention.ts';
import type { ResolvedInput } from '../domain/inputs.ts';
import { mirrorTag, type Places } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import { parseUpstream } from '../domain/upstream.ts';
import type { Call, Registry } from '../registry/registry.ts';

export interface MirrorDeps {
  readonly registry: Registry;
  readonly places: Places;
  /** Where an upstream is read from: itself, or the company's own cache of it. */
  readonly sourceOf: (upstream: Reference) => Reference;
  /** Absent: only what is wanted. */
  readonly mirror?: MirrorSettings;
}

/** Copies what a platform takes of an upstream into our registry, once for each digest. Golden images are there already. */
export async function mirrorInput(
  input: ResolvedInput,
  platform: Platform,
  deps: MirrorDeps,
  call: Call,
): Promise<void> {
  const { registry, places, sourceOf } = deps;
  if (!isUpstream(input)) return;
  const upstream = parseUpstream(input.name);
  const copy = async (digest: Digest) => {
    const to = mirrored(input, digest, places);
    if ((await registry.head(to, call)) !== undefined) return;
    await registry.copy(atDigest(sourceOf(upstream), digest), to, call);
  };
  await copy(input.platforms[platform]!);
  if (deps.mirror?.platforms === 'all') await copy(input.digest).catch(unlessNeeded(call));
}

/** No build waits for platforms that it does not use: an index that upstream has given up is left out. */
function unlessNeeded({ signal }: Call) {
  return (error: unknown): void => {
    if (signal?.aborted || !(error instanceof FactoryError)) throw error;
  };
}

export async function isMirrored(
  input: ResolvedInput,
  platform: Platform,
  { registry, places, mirror }: Pick<MirrorDeps, 'registry' | 'places' | 'mirror'>,
  call: Call,
): Promise<boolean> {
  if (!isUpstream(input)) return true;
  const wanted = [input.platforms[platform]!, ...(mirror?.platforms === 'all' ? [input.digest] : [])];
  const heads = wanted.map((digest) => registry.head(mirrored(input, digest, places), call));
  return (await Promise.all(heads)).every((head) => head !== undefined);
}

/** Builds read only our own registry: the mirror for upstreams, the release repository for golden images. */
export function pinOf(input: ResolvedInput, platform: Platform, places: Places): Reference {
  const repository = isUpstream(input)
    ? places.mirror(parseUpstream(input.name))
    : places.release(input.name.slice('golden/'.length));
  return atDigest(repository, input.platforms[platform]!);
}

function mirrored(input: ResolvedInput, digest: Digest, places: Places): Reference {
  return atTag(places.mirror(parseUpstream(input.name)), mirrorTag(digest));
}

function isUpstream(input: ResolvedInput): boolean {
  return !input.name.startsWith('golden/');
}
