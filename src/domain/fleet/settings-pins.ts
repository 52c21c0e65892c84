import { RE2JS } from 're2js';
import { z } from 'zod';
import type { PinPattern } from '../bump/pattern.ts';
import { ADOPTIONS, FLOATS, type PinPolicy, parseUpdate } from '../bump/policy.ts';

/** What the pins of a fleet's downstreams, or of one repository, are to do. */
export interface PinSettings {
  readonly policy: Partial<PinPolicy>;
  /** Paths that hold no pins, whatever they look like. */
  readonly ignore: readonly string[];
  /** Paths in which a comment `# ingot: IMAGE` marks a variable, besides those of shell, make and settings. */
  readonly marked: readonly string[];
  /** In order; what a later one says stands over what an earlier one does. */
  readonly rules: readonly PinRule[];
  readonly patterns: readonly PinPattern[];
}

/** A policy for some files, or some images. */
export interface PinRule {
  readonly files?: readonly string[];
  /** By full name, or by the last part of it. */
  readonly images?: readonly string[];
  readonly policy: Partial<PinPolicy>;
}

export const NO_PIN_SETTINGS: PinSettings = { policy: {}, ignore: [], marked: [], rules: [], patterns: [] };

const UpdateText = z.union([z.string(), z.number()], { error: 'must be a text' }).transform((value, context) => {
  const update = parseUpdate(String(value));
  if (update !== undefined) return update;
  const message = `cannot be "${value}"; write patch, minor, major, digest-only, hold or a range, as in "~12.4"`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const Paths = z.array(z.string().min(1, 'is empty')).min(1, 'is empty; name at least one path, as in deploy/**');

const POLICY_KEYS = {
  update: UpdateText.optional(),
  float: z.enum(FLOATS).optional(),
  adopt: z.enum(ADOPTIONS).optional(),
};

const Pattern = z
  .string()
  .min(1, 'is empty')
  .superRefine((text, context) => {
    const problem = patternProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

const PatternFile = z
  .strictObject({
    files: Paths,
    pattern: Pattern,
    image: z.string().min(1, 'is empty').optional(),
  })
  .refine(({ pattern, image }) => image !== undefined || groupsOf(pattern)?.includes('image') !== false, {
    path: ['pattern'],
    message: 'says no image; add a group (?P<image>…), or "image" beside it with the full name',
  })
  .transform(({ image, ...rest }): PinPattern => ({ ...rest, ...(image === undefined ? {} : { image }) }));

const RuleFile = z
  .strictObject({ files: Paths.optional(), images: z.array(z.string()).min(1, 'is empty').optional(), ...POLICY_KEYS })
  .transform(
    ({ files, images, ...policy }): PinRule => ({
      ...(files && { files }),
      ...(images && { images }),
      policy: given(policy),
    }),
  );

/** `pins` of ingot.yaml, and all of a repository's .ingot.yaml. */
export const PinsFile = z
  .strictObject({
    ...POLICY_KEYS,
    ignore: z.array(z.string().min(1, 'is empty')).default([]),
    marked: z.array(z.string().min(1, 'is empty')).default([]),
    rules: z.array(RuleFile).default([]),
    patterns: z.array(PatternFile).default([]),
  })
  .transform(({ ignore, marked, rules, patterns, ...policy }): PinSettings => {
    return { policy: given(policy), ignore, marked, rules, patterns };
  });

function given(policy: { [Key in keyof PinPolicy]?: PinPolicy[Key] | undefined }): Partial<PinPolicy> {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
}

function patternProblem(text: string): string | undefined {
  const groups = groupsOf(text);
  if (groups === undefined)
    return 'is no RE2 pattern; lookaround and backreferences are not possible, and groups are written (?P<tag>…)';
  const unknown = groups.find((name) => !['image', 'tag', 'digest'].includes(name));
  if (unknown !== undefined) return `has a group "${unknown}"; name groups image, tag and digest`;
  return groups.length === 0
    ? 'has no named group; write at least one of (?P<image>…), (?P<tag>…), (?P<digest>…)'
    : undefined;
}

function groupsOf(text: string): string[] | undefined {
  try {
    return Object.keys(RE2JS.compile(text).namedGroups());
  } catch {
    return undefined;
  }
}
