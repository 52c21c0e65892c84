import { z } from 'zod';

/** Names of fleets and images: fit for repositories, branches, tags and file names. */
export const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

export const Name = z
  .string()
  .regex(NAME, 'is no name; write small letters, digits and single hyphens, as in "debian" or "python-3"');

/** A bare number is read, too, so that the message can say which unit is missing. */
const WithUnit = z.union([z.string(), z.number()], { error: 'must be a number with its unit' }).transform(String);

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1000,
  KiB: 1024,
  MB: 1000 ** 2,
  MiB: 1024 ** 2,
  GB: 1000 ** 3,
  GiB: 1024 ** 3,
};

/** `300MiB` as bytes. */
export const Size = WithUnit.transform((text, context) => {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([kKMG]?i?B)$/.exec(text) ?? [];
  const factor = UNITS[unit ?? ''];
  if (factor !== undefined) return Math.round(Number(number) * factor);
  context.addIssue({ code: 'custom', message: `is no size: "${text}"; write a number with its unit, as in 300MiB` });
  return z.NEVER;
});

/** `14d` as days. */
export const Days = WithUnit.transform((text, context) => {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  if (days !== undefined) return Number(days);
  context.addIssue({ code: 'custom', message: `is no number of days: "${text}"; write it as in 14d` });
  return z.NEVER;
});

/** `10%` as 10. */
export const Percent = WithUnit.transform((text, context) => {
  const percent = /^(\d{1,6}(?:\.\d+)?)%$/.exec(text)?.[1];
  if (percent !== undefined) return Number(percent);
  context.addIssue({ code: 'custom', message: `is no percentage: "${text}"; write it as in 10%` });
  return z.NEVER;
});

/** A number may stand for a text where only digits are meant anyway. */
export const DigitsOrText = z
  .union([z.string().min(1, 'is empty'), z.int().nonnegative()], { error: 'must be a text or a whole number' })
  .transform(String);

/** A path below the image's folder: no way out of it, and nothing that COPY would take for a pattern. */
export const RelativePath = z
  .string()
  .regex(/^[^\s*?[\]"'$\\]+$/, 'must be a path without spaces, quotes, "*", "?", "[", "$" and backslashes')
  .refine(
    (path) => !path.split('/').some((part) => part === '..' || part === '.' || part === ''),
    'must be a path below this folder; write it without "..", "./" and a slash at the front',
  );

/** A path in the image. */
export const AbsolutePath = z
  .string()
  .regex(/^\/[^\s"'$\\]*$/, 'must be an absolute path without spaces, quotes, "$" and backslashes')
  .refine((path) => !path.split('/').includes('..'), 'must not contain ".."');

/** Host and path below which a fleet lives. */
export const RegistryBase = z
  .string()
  .regex(
    /^[a-zA-Z0-9.-]+(?::\d+)?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/,
    'must be a host and a path, without scheme and tag; write it as in ghcr.io/acme/golden',
  );

/** Names of environment variables (POSIX). */
export const VariableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is no name of an environment variable');

/** One line, fit for a Dockerfile: no control characters. */
export const Line = z.string().regex(/^[^\p{Cc}]*$/u, 'must be one line without control characters');

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `15m` as seconds. */
export const Duration = WithUnit.transform((text, context) => {
  const [, number, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const factor = SECONDS[unit ?? ''];
  if (factor !== undefined) return Number(number) * factor;
  context.addIssue({ code: 'custom', message: `is no duration: "${text}"; write it as in 30s, 15m, 2h or 14d` });
  return z.NEVER;
});
