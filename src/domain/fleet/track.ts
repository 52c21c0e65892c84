import { RE2JS } from 're2js';
import semver from 'semver';
import { z } from 'zod';
import type { Track } from '../track.ts';
import { parseRange } from '../track-order.ts';

const Pattern = z.strictObject({
  pattern: z.string().min(1, 'is empty'),
  order: z.enum(['number', 'semver', 'text']).default('number'),
});

/** The fields that say which tags are followed, as people write them in `from` and in `track`. */
export const TRACK_FIELDS = {
  track: z.union([z.string(), Pattern], {
    error: 'must be a range of versions in quotes, as in "22.x", or { pattern: …, order: … }',
  }),
  suffix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,127}$/, 'is no end of a tag; write it as in -slim')
    .optional(),
  majors: z.boolean().optional(),
};

/** One entry of `track` in the definition of an own Dockerfile. */
export const TrackedInput = z.strictObject(TRACK_FIELDS).superRefine((fields, context) => addMistakes(fields, context));
export type TrackedInput = z.infer<typeof TrackedInput>;

export function toTrack({ track, suffix = '' }: TrackedInput): Track {
  return typeof track === 'string' ? { range: track.trim().replace(/\s+/g, ' '), suffix } : track;
}

/** `from` as a mapping names an image of the fleet, or an upstream whose tags are tracked. */
export function addFromMistakes(
  { golden, image, track, suffix, majors }: Partial<TrackedInput> & { golden?: string; image?: string },
  context: z.RefinementCtx,
): void {
  const add = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (golden !== undefined) {
    const others = Object.entries({ image, track, suffix, majors }).filter(([, value]) => value !== undefined);
    for (const [key] of others) add([key], 'means nothing beside "golden"; remove one of them');
  } else if (image === undefined) add([], 'names no image; write { golden: … } or { image: …, track: … }');
  else if (track === undefined) add([], 'has no "track"; write one, as in "22.x", or the reference alone as a text');
  else addMistakes({ track, suffix, majors }, context);
}

/** What the fields demand of each other. Messages carry their remedy behind a semicolon. */
function addMistakes({ track, suffix, majors }: TrackedInput, context: z.RefinementCtx): void {
  const add = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (typeof track === 'string') {
    const found = mistakeInRange(track, majors ?? false);
    if (found !== undefined) add(['track'], found.join('; '));
    return;
  }
  const found = mistakeInPattern(track.pattern);
  if (found !== undefined) add(['track', 'pattern'], found.join('; '));
  if (suffix !== undefined) add(['suffix'], 'means nothing beside a pattern; write it into the pattern');
  if (majors !== undefined) add(['majors'], 'means nothing beside a pattern; remove it');
}

/** What is wrong with a range, if anything: a message and its remedy. */
function mistakeInRange(range: string, majors: boolean): readonly [string, string] | undefined {
  const remedy = 'write it as in "22.x", "~3.12" or ">=1.2 <2"';
  if (/\d-[0-9A-Za-z]/.test(range)) return ['has a pre-release, and these are not tracked', 'write a pattern for them'];
  const parsed = parseRange(range);
  if (parsed === undefined) return ['is no range of versions', remedy];
  if (majors || !parsed.test(new semver.SemVer(`${Number.MAX_SAFE_INTEGER}.0.0`))) return undefined;
  return ['lets every new major version in', 'bound it, as in ">=20 <23", or write "majors: true" as well'];
}

/** What is wrong with a pattern, if anything. */
function mistakeInPattern(pattern: string): readonly [string, string] | undefined {
  try {
    if (RE2JS.compile(pattern).groupCount() > 0) return undefined;
  } catch (error) {
    return ['is no regular expression (RE2)', error instanceof Error ? error.message : String(error)];
  }
  return ['has no group that could be compared', 'write one in brackets, as in ^bookworm-(\\d{8})-slim'];
}
