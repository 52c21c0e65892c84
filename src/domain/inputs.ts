import canonicalize from 'canonicalize';
import { z } from 'zod';
import { type Digest, digestOf, hexOf, zDigest } from './digest.ts';
import { type Platform, zPlatform } from './platform.ts';

/** Raised when the way ingot builds changes what comes out: rendering, BuildKit version, exporter options. */
export const RECIPE_VERSION = '2';

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
  /** The tag that a tracked upstream resolved to. */
  readonly tag?: string;
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
  /** Package versions that the build is to bring in, by platform and name; absent when none was decided upon. */
  readonly packages?: Readonly<Partial<Record<Platform, Readonly<Record<string, string>>>>>;
  /**
   * One verified state of the archives for all platforms, over all that they signed (decisions 4); absent when the build
   * takes nothing from them by way of ingot. No part of the inputs digest: archives move every hour.
   */
  readonly snapshot?: Digest;
  /** When somebody asked for it to be built anew, RFC 3339: content that ingot cannot see may have changed. */
  readonly requestedAt?: string;
  /** When the definition was committed, RFC 3339: where no input tells a time. No part of the inputs digest. */
  readonly definedAt?: string;
}

/** The record of inputs at an edge: a referrer, a job payload. */
export const InputsSchema = z.object({
  image: z.string(),
  recipe: z.string(),
  platforms: z.array(zPlatform),
  inputs: z.array(
    z.object({
      role: z.enum(['base', 'input']),
      name: z.string(),
      digest: zDigest,
      platforms: z.record(z.string(), zDigest),
      created: z.string().optional(),
      version: z.string().optional(),
      tag: z.string().optional(),
    }),
  ),
  definition: z.record(z.string(), zDigest),
  packages: z.record(z.string(), z.record(z.string(), z.string())).optional(),
  snapshot: zDigest.optional(),
  requestedAt: z.string().optional(),
  definedAt: z.string().optional(),
}) as unknown as z.ZodType<Inputs>;

/** sha256 over the RFC 8785 form of what decides the content: names, index digests and times of inputs do not. */
export function inputsDigest(inputs: Inputs): Digest {
  const { image, recipe, platforms, definition, packages } = inputs;
  const images = inputs.inputs.map(({ role, name, platforms: children }) => ({
    role,
    name,
    platforms: Object.fromEntries(platforms.map((platform) => [platform, children[platform] ?? null])),
  }));
  const decided = { image, recipe, platforms: [...platforms].sort(), inputs: images, definition };
  return digestOf(canonicalJson({ ...decided, ...(packages === undefined ? {} : { packages }) }));
}

/**
 * Seconds since the epoch for everything that is built: the base's `created`, or for an image from scratch that
 * of its newest input, or when its definition was committed. Never decided by the clock (decisions 1).
 */
export function epochOf({ inputs, definedAt }: Pick<Inputs, 'inputs' | 'definedAt'>): number {
  const base = inputs.filter((input) => input.role === 'base');
  const candidates = base.length > 0 ? base : inputs;
  const told = candidates.length > 0 ? candidates.map(({ created }) => created) : [definedAt];
  const times = told.map((time) => Date.parse(time ?? '')).filter((time) => Number.isFinite(time));
  return times.length === 0 ? 0 : Math.floor(Math.max(...times) / 1000);
}

/**
 * Name under which everything about a candidate is kept in staging: fits in a tag. Beside the inputs it depends on what
 * the archives gave, so that a run that goes on after they moved does not mix platforms of two states; and on when it
 * was asked for, if it was.
 */
export function candidateKey(inputs: Inputs): string {
  const { snapshot, requestedAt, definedAt } = inputs;
  const more = { ...(snapshot && { snapshot }), ...(requestedAt && { requestedAt }), ...(definedAt && { definedAt }) };
  const digest = inputsDigest(inputs);
  return hexOf(Object.keys(more).length === 0 ? digest : digestOf(canonicalJson({ digest, ...more }))).slice(0, 32);
}

/** RFC 8785 JSON: one value, one text. */
export function canonicalJson(value: unknown): string {
  return canonicalize(value) ?? 'null';
}
