import type { Release } from '../domain/staleness.ts';
import { findDamage } from './damage.ts';
import type { ReleaseDeps, ReleaseJob } from './release.ts';
import { readRelease } from './releases.ts';
import { repairDamage } from './repair.ts';
import type { Step } from './steps.ts';

type DamagedJob = Pick<ReleaseJob, 'image' | 'repository' | 'reasons'>;

/** Only for a release that lacks something: the candidate may be just what is missing. */
export function repairSteps(job: DamagedJob, deps: ReleaseDeps): Step[] {
  if (!isDamaged(job)) return [];
  return [
    {
      name: 'repair',
      external: false,
      isDone: async () => false,
      async run(signal) {
        const release = await readRelease(deps.registry, job.repository, job.image, { signal });
        if (release.state === 'known') await repairDamage(job.image, release.value, deps, signal);
      },
    },
  ];
}

/** Then the same content is released once more, as a new version: whole, and signed. */
export async function isBeyondRepair(
  release: Release,
  job: DamagedJob,
  deps: Pick<ReleaseDeps, 'registry'>,
  signal: AbortSignal,
): Promise<boolean> {
  return isDamaged(job) && (await findDamage(job.repository, release, deps, signal)).length > 0;
}

function isDamaged({ reasons }: DamagedJob): boolean {
  return reasons.some(({ kind }) => kind === 'release-damaged');
}
