import { isDigest } from './digest.ts';
import type { Image } from './fleet/model.ts';
import type { Places } from './places.ts';
import { atDigest, atTag, parseReference, type Reference } from './reference.ts';

/**
 * An image as a person names it: `python`, `python:3.11.4`, `python@3.11.4`, `python@sha256:…` of this fleet, the
 * first being the release in use; else a reference to any registry, `latest` when it has neither tag nor digest.
 * @throws FactoryError `usage` when it is no reference
 */
export function parseImageName(
  text: string,
  images: readonly Pick<Image, 'name' | 'line'>[],
  places: Pick<Places, 'release'>,
): { readonly reference: Reference; readonly ours: boolean } {
  const [, name, rest] = /^([^/@:]+)(?:[@:](.+))?$/.exec(text) ?? [];
  const image = images.find((each) => each.name === name);
  if (image === undefined) {
    const reference = parseReference(text);
    const { tag, digest } = reference;
    return { reference: (tag ?? digest) ? reference : atTag(reference, 'latest'), ours: false };
  }
  const repository = places.release(image.name);
  const last = rest?.split('@').at(-1);
  const at = last !== undefined && isDigest(last) ? atDigest(repository, last) : atTag(repository, last ?? image.line);
  return { reference: at, ours: true };
}
