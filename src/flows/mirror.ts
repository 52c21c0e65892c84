import type { ResolvedInput } from '../domain/inputs.ts';
import { mirrorTag, type Places } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, atTag, parseReference, type Reference } from '../domain/reference.ts';
import type { Call, Registry } from '../registry/registry.ts';

export interface MirrorDeps {
  readonly registry: Registry;
  readonly places: Places;
  /** Where an upstream is read from: itself, or the company's own cache of it. */
  readonly sourceOf: (upstream: Reference) => Reference;
}

/** Copies what a platform takes of an upstream into our registry, once for each digest. Golden images are there already. */
export async function mirrorInput(
  input: ResolvedInput,
  platform: Platform,
  deps: MirrorDeps,
  call: Call,
): Promise<void> {
  if (await isMirrored(input, platform, deps, call)) return;
  const upstream = parseReference(input.name);
  await deps.registry.copy(
    atDigest(deps.sourceOf(upstream), input.platforms[platform]!),
    target(input, platform, deps.places),
    call,
  );
}

export async function isMirrored(
  input: ResolvedInput,
  platform: Platform,
  { registry, places }: Pick<MirrorDeps, 'registry' | 'places'>,
  call: Call,
): Promise<boolean> {
  if (!isUpstream(input)) return true;
  return (await registry.head(target(input, platform, places), call)) !== undefined;
}

/** Builds read only our own registry: the mirror for upstreams, the release repository for golden images. */
export function pinOf(input: ResolvedInput, platform: Platform, places: Places): Reference {
  const repository = isUpstream(input)
    ? places.mirror(parseReference(input.name))
    : places.release(input.name.slice('golden/'.length));
  return atDigest(repository, input.platforms[platform]!);
}

function target(input: ResolvedInput, platform: Platform, places: Places): Reference {
  return atTag(places.mirror(parseReference(input.name)), mirrorTag(input.platforms[platform]!));
}

function isUpstream(input: ResolvedInput): boolean {
  return !input.name.startsWith('golden/');
}
