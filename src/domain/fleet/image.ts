import { z } from 'zod';
import { Deprecated } from './deprecated.ts';
import { AnyPackage } from './packages.ts';
import { Platforms } from './settings.ts';
import { RolloutFile } from './settings-rollout.ts';
import { addFromMistakes, TRACK_FIELDS, TrackedInput } from './track.ts';
import { AbsolutePath, DigitsOrText, Line, Name, RelativePath, VariableName } from './values.ts';

const Owner = z.union([Line.min(1, 'is empty'), z.strictObject({ team: Line, contact: Line.optional() })], {
  error: 'must be a team, or { team: …, contact: … }',
});

const FromFields = z
  .strictObject({
    golden: Name.optional(),
    image: z.string().min(1, 'is empty').optional(),
    ...TRACK_FIELDS,
    track: TRACK_FIELDS.track.optional(),
  })
  .superRefine(addFromMistakes);

const From = z.union([z.string().min(1, 'is empty'), FromFields], {
  error: 'must be an image reference, { golden: <image of this fleet> }, or { image: …, track: … }',
});

/** Without a mode and owner of its own where the trust store decides them. */
const File = z.strictObject({
  source: RelativePath,
  to: z.union([z.literal('trust-store'), AbsolutePath], { error: 'must be an absolute path or trust-store' }),
  mode: DigitsOrText.pipe(z.string().regex(/^[0-7]{3,4}$/, 'is no file mode; write it as in "0644"')).optional(),
  owner: DigitsOrText.pipe(
    z.string().regex(/^[a-z0-9_][a-z0-9_-]*(?::[a-z0-9_][a-z0-9_-]*)?$/, 'is no owner; write it as in 10001:10001'),
  ).optional(),
});

const Word = z.string().regex(/^[^\s"'$\\]+$/, 'must be one word');

const Source = z.strictObject({
  name: Name,
  // dnf knows variables in addresses.
  uri: z
    .string()
    .regex(
      /^https?:\/\/(?:[^\s"'$\\@]|\$(?:releasever|basearch|arch)\b)+$/,
      'must be an address without user and password; use secrets: for these',
    ),
  suites: z.array(Word).default([]),
  components: z.array(Word).default([]),
  keyring: RelativePath,
});

const Secret = z
  .strictObject({
    id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'is no id; write letters, digits, ".", "_" and "-"'),
    env: VariableName.optional(),
    file: z.string().min(1, 'is empty').optional(),
    target: AbsolutePath.optional(),
  })
  .refine(({ env, file }) => (env === undefined) !== (file === undefined), 'must name one place; write env or file');

const Identity = '(?:\\d+|[a-z_][a-z0-9_-]*)';

/** images/<name>/image.yaml as people write it. Which fields fit together is checked in parse-fleet.ts. */
export const ImageFile = z.strictObject({
  description: Line.optional(),
  owners: z.array(Owner).default([]),
  line: z.string().regex(/^\d+(?:\.\d+)?$/, 'is no version line; write "12" or "3.11"'),
  platforms: Platforms.optional(),
  from: From.optional(),
  track: z.record(z.string(), TrackedInput).optional(),
  manager: z.enum(['apt', 'apk', 'dnf', 'microdnf', 'none']).optional(),
  packages: z.array(Name).optional(),
  install: z.array(AnyPackage).optional(),
  upgrade: z.enum(['all', 'security', 'none']).optional(),
  files: z.array(File).optional(),
  sources: z.array(Source).optional(),
  secrets: z.array(Secret).default([]),
  env: z.record(VariableName, Line).optional(),
  labels: z.record(z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, 'is no label name'), Line).optional(),
  user: DigitsOrText.pipe(
    z.string().regex(new RegExp(`^${Identity}(?::${Identity})?$`), 'is no user; write a number, as in 10001'),
  ).optional(),
  workdir: AbsolutePath.optional(),
  entrypoint: z.array(Line).optional(),
  cmd: z.array(Line).optional(),
  locale: z
    .string()
    .regex(/^(?:C|POSIX|(?:C|[a-z]{2,3}_[A-Z]{2})\.UTF-8)$/, 'is no locale; write it as in de_DE.UTF-8 or C.UTF-8')
    .optional(),
  timezone: z
    .string()
    .regex(/^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+)*$/, 'is no time zone; write it as in Europe/Berlin')
    .optional(),
  target: z.string().min(1, 'is empty').optional(),
  waivers: RelativePath.optional(),
  smoke: RelativePath.optional(),
  deprecated: Deprecated.optional(),
  rollout: RolloutFile.optional(),
});
export type ImageFile = z.infer<typeof ImageFile>;

export const PLANNED_IMAGE_KEYS = ['channels', 'policy'];

/** What only a rendered image can have: an own Dockerfile says these things itself. */
export const RENDERED_KEYS = [
  'from',
  'manager',
  'packages',
  'install',
  'upgrade',
  'files',
  'sources',
  'env',
  'labels',
  'user',
  'workdir',
  'entrypoint',
  'cmd',
  'locale',
  'timezone',
] as const satisfies readonly (keyof ImageFile)[];
