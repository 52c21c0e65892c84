import { z } from 'zod';
import { Cron } from './cron.ts';
import { Duration, RegistryBase } from './values.ts';

/** What of an upstream is copied into our registry. */
export interface MirrorSettings {
  /** `wanted`: the platforms that images are built for. `all`: the whole index as well. */
  readonly platforms: 'wanted' | 'all';
}

/** How long is kept what nothing needs. */
export interface RetentionSettings {
  /** When the service removes what nothing needs: a cron expression. Absent: only "ingot prune" does. */
  readonly prune?: string;
  /** Candidates and their evidence. */
  readonly stagingSeconds: number;
  readonly releases: {
    /** The newest of each line. */
    readonly keep: number;
    readonly ageSeconds: number;
  };
}

const MirrorOptions = z.strictObject({ platforms: z.enum(['wanted', 'all']).default('wanted') });

export const MirrorFile = z
  .union([z.literal(true), MirrorOptions], {
    error: 'must be true, or { platforms: wanted } or { platforms: all }; builds use nothing but the mirror',
  })
  .transform((mirror): MirrorSettings => (mirror === true ? { platforms: 'wanted' } : mirror));

const Releases = z.strictObject({
  keep: z.int().min(1, 'must keep one at least').default(10),
  age: Duration.default(180 * 86_400),
});

export const Retention = z
  .strictObject({
    staging: Duration.default(14 * 86_400),
    releases: Releases.default(Releases.parse({})),
    prune: Cron.optional(),
  })
  .transform(
    ({ staging, releases, prune }): RetentionSettings => ({
      ...(prune === undefined ? {} : { prune }),
      stagingSeconds: staging,
      releases: { keep: releases.keep, ageSeconds: releases.age },
    }),
  );

export const Replicas = z.array(RegistryBase);

/** Where replicas stand in each other's way: where, what, and what to write. */
export function replicaMistakes({
  registry,
  replicas,
}: {
  readonly registry?: string | undefined;
  readonly replicas: readonly string[];
}): { readonly at: readonly (string | number)[]; readonly message: string; readonly remedy: string }[] {
  return replicas.flatMap((replica, index) => {
    const at = ['replicas', index];
    if (replica === registry) {
      return [{ at, message: `${replica} is the registry of the fleet itself`, remedy: 'name another one' }];
    }
    if (replicas.indexOf(replica) === index) return [];
    return [{ at, message: `there are two replicas "${replica}"`, remedy: 'remove one' }];
  });
}
