import canonicalize from 'canonicalize';
import { type Digest, digestOf, hexOf } from './digest.ts';
import type { Platform } from './platform.ts';

/** Raised when the way ingot builds changes what comes out: rendering, BuildKit version, exporter options. */
export const RECIPE_VERSION = '1';

/** Artifact type of the referrer that says from which inputs a release was made (decisions 2). */
export const INPUTS_ARTIFACT_TYPE = 'application/vnd.ingot.inputs.v1+json';

/** An input image, resolved. */
export interface ResolvedInput {
  readonly role: 'base' | 'input';
  /** Full reference as watched, without digest: `docker.io/library/debian:12`, `golden/debian`. */
  readonly name: string;
  /** What the reference pointed to: an index, or a single manifest. */
  readonly digest: Digest;
  /** The manifests that builds use. Only these decide the content. */
  readonly platforms: Readonly<Partial<Record<Platform, Digest>>>;
  /** When upstream made it (config `created`), RFC 3339; for people, and the epoch of the build. */
  readonly created?: string;
  /** Version of a golden input. */
  readonly version?: string;
}

/** Everything that decides an image's content; kept with the release as a whole, so that reasons can name the part that changed. */
export interface Inputs {
  readonly image: string;
  readonly recipe: string;
  readonly platforms: readonly Platform[];
  readonly inputs: readonly ResolvedInput[];
  /** Part of the definition to its digest, see `Image.definition`. */
  readonly definition: Readonly<Record<string, Digest>>;
}

/** sha256 over the RFC 8785 form of what decides the content: names, index digests and times of inputs do not. */
export function inputsDigest(inputs: Inputs): Digest {
  const { image, recipe, platforms, definition } = inputs;
  const images = inputs.inputs.map(({ role, name, platforms: children }) => ({
    role,
    name,
    platforms: Object.fromEntries(platforms.map((platform) => [platform, children[platform] ?? null])),
  }));
  return digestOf(canonicalJson({ image, recipe, platforms: [...platforms].sort(), inputs: images, definition }));
}

/** Name under which everything about a candidate is kept in staging: fits in a tag. */
export function inputsKey(digest: Digest): string {
  return hexOf(digest).slice(0, 32);
}

/** RFC 8785 JSON: one value, one text. */
export function canonicalJson(value: unknown): string {
  return canonicalize(value) ?? 'null';
}
