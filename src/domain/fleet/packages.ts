import { z } from 'zod';
import { Name } from './values.ts';

const NO_NAME = 'is no package name; write the name alone, without version and architecture';

/** Names of Debian packages (Debian Policy 5.6.7): versions come from the archive, not from here. */
export const AptPackage = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, NO_NAME);

/** Of a manager that is known only when all definitions are. */
export const AnyPackage = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, NO_NAME);

/** images/packages.yaml: shared sets, each for one or more package managers. */
export const PackagesFile = z.record(
  Name,
  z.strictObject({
    apt: z.array(AptPackage).optional(),
    apk: z.array(AnyPackage).optional(),
    dnf: z.array(AnyPackage).optional(),
  }),
);
export type PackagesFile = z.infer<typeof PackagesFile>;
