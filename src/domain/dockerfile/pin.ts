import type { ImageInput } from '../fleet/model.ts';
import { familiarReference, parseReference, type Reference } from '../reference.ts';

/** Below this name the images of the fleet stand in Dockerfiles: `FROM golden/debian`. */
export const GOLDEN_PREFIX = 'golden/';

/**
 * The key under which BuildKit looks for a named context that replaces an image: its familiar form without `:latest`,
 * its digest included (BuildKit, frontend/dockerui/namedcontext.go).
 * @throws FactoryError `usage` when the text is no image reference
 */
export function contextKey(written: string): string {
  return familiarReference(parseReference(written)).replace(/:latest$/, '');
}

/**
 * What a build is given so that it resolves no tag by itself: context key to reference by digest.
 * `referenceOf` says where the platform's content of an input lies.
 */
export function pinsFor(
  inputs: readonly ImageInput[],
  referenceOf: (input: ImageInput) => Reference,
): Record<string, Reference> {
  return Object.fromEntries(inputs.map((input) => [contextKey(input.written), referenceOf(input)]));
}
