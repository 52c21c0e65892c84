import { z } from 'zod';
import { Name } from './values.ts';

/** Names of Debian packages (Debian Policy 5.6.7): versions come from the archive, not from here. */
export const AptPackage = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]+$/, 'is no package name; write the name alone, without version and architecture');

const OtherPackage = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, 'is no package name');

/** images/packages.yaml: shared sets, each for one or more package managers. */
export const PackagesFile = z.record(
  Name,
  z.strictObject({
    apt: z.array(AptPackage).optional(),
    apk: z.array(OtherPackage).optional(),
    dnf: z.array(OtherPackage).optional(),
  }),
);
export type PackagesFile = z.infer<typeof PackagesFile>;
