import { digestOf } from '../../src/domain/digest.ts';
import type { Image } from '../../src/domain/fleet/model.ts';
import type { Platform } from '../../src/domain/platform.ts';
import { parseReference } from '../../src/domain/reference.ts';

const PLATFORMS: readonly Platform[] = ['linux/amd64', 'linux/arm64'];

/**
 * So many images in the shape of a grown fleet: an upstream for each dozen, one golden image on it, runtimes on that,
 * variants on those. Parents come first.
 */
export function generatedImages(count: number): readonly Image[] {
  return Array.from({ length: count }, (_, index) => {
    const family = Math.floor(index / 12);
    const place = index % 12;
    const from = place === 0 ? undefined : nameOf(family * 12 + (place < 4 ? 0 : 1 + (place % 3)));
    return imageOf(nameOf(index), from ?? { upstream: `example.org/base-${family}:12-slim` });
  });
}

function nameOf(index: number): string {
  return `image-${String(index).padStart(3, '0')}`;
}

/** One image on a golden one, by name, or on an upstream. */
export function imageOf(
  name: string,
  from: string | { readonly upstream: string },
  rest: Partial<Image> & { readonly also?: readonly string[] } = {},
): Image {
  const { also = [], ...fields } = rest;
  const source = typeof from === 'string' ? { golden: from } : { upstream: parseReference(from.upstream) };
  const others = also.map((golden) => ({ role: 'input' as const, written: `golden/${golden}`, source: { golden } }));
  return {
    name,
    folder: `/fleet/images/${name}`,
    owners: [],
    line: '12',
    platforms: PLATFORMS,
    recipe: { kind: 'own', dockerfile: '/Dockerfile', context: '/' },
    inputs: [{ role: 'base', written: name, source }, ...others],
    definition: { Dockerfile: digestOf(name) },
    waivers: [],
    secrets: [],
    ...fields,
  };
}
