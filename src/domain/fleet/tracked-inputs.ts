import { contextKey, GOLDEN_PREFIX } from '../dockerfile/pin.ts';
import type { Mistake } from '../errors.ts';
import { parseReference, type Reference } from '../reference.ts';
import type { UpstreamSource } from '../upstream.ts';
import type { Draft } from './draft.ts';
import type { FoundInputs, Told } from './inputs.ts';
import type { ImageInput } from './model.ts';
import { suggestion } from './nearest.ts';
import { type TrackedInput, toTrack } from './track.ts';

/** `{ image: node, track: "22.x", suffix: -slim }` of a rendered image. */
export function toTracked(image: string, fields: TrackedInput): { source: UpstreamSource } | Told {
  let reference: Reference;
  try {
    reference = parseReference(image);
  } catch (error) {
    return { message: (error as Error).message };
  }
  const { registry, repository, tag, digest } = reference;
  if (registry === 'docker.io' && repository.startsWith(GOLDEN_PREFIX)) {
    const remedy = `write { golden: ${repository.slice(GOLDEN_PREFIX.length)} } alone`;
    return { message: `"${image}" is an image of this fleet, and has its line instead of tracked tags`, remedy };
  }
  if (tag !== undefined || digest !== undefined)
    return { message: `"${image}" has a tag or digest beside "track"`, remedy: 'write the name alone' };
  return { source: { upstream: { registry, repository }, track: toTrack(fields) } };
}

/** What `track` of image.yaml says of images that an own Dockerfile names by a tag: the tag there only stands for them. */
export function withTracks(
  inputs: readonly ImageInput[],
  track: Readonly<Record<string, TrackedInput>>,
  { document }: Draft,
): FoundInputs {
  const entries = Object.entries(track).map(([written, fields]) => ({ written, fields, key: keyOf(written) }));
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  const names = inputs.map(({ written }) => written);
  const mistakes: Mistake[] = entries
    .filter(({ key }) => key === undefined || !names.includes(key))
    .map(({ written }) =>
      document.mistake(['track', written], `the Dockerfile uses no image "${written}"`, suggestion(written, names)),
    );
  const found = inputs.map((input): ImageInput => {
    const entry = byKey.get(input.written);
    if (entry === undefined) return input;
    const { source } = input;
    if ('upstream' in source && source.upstream.digest === undefined) {
      const { registry, repository } = source.upstream;
      return { ...input, source: { upstream: { registry, repository }, track: toTrack(entry.fields) } };
    }
    const what = 'golden' in source ? 'is an image of this fleet' : 'has a digest';
    const message = `"${entry.written}" ${what}, so that there are no tags to track`;
    mistakes.push(document.mistake(['track', entry.written], message, 'remove it here'));
    return input;
  });
  return { inputs: found, mistakes };
}

function keyOf(written: string): string | undefined {
  try {
    return contextKey(written);
  } catch {
    return undefined;
  }
}
