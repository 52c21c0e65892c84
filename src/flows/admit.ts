import { inputsDigest } from '../domain/inputs.ts';
import { type Quarantine, quarantineOf, type Suspect, standingOf } from '../domain/standing.ts';
import { refuseForeign } from './adopt.ts';
import { readMarks } from './marks.ts';
import type { ReleaseDeps, ReleaseJob } from './release.ts';
import type { Ending, Step } from './steps.ts';

/**
 * Refuses what is quarantined before anything is done about it, by its inputs or its content, and a repository with
 * tags that somebody else made. The plan holds both as well; a run may have begun before.
 */
export function admitStep(job: ReleaseJob, deps: ReleaseDeps): Step {
  return {
    name: 'admit',
    external: false,
    isDone: async () => false,
    run: async (signal) => (await refuseQuarantined(job, {}, deps, signal)) ?? (await refuseForeign(job, deps, signal)),
  };
}

/** @param more what else is known of the candidate. @returns the end of the run when it is quarantined */
export async function refuseQuarantined(
  job: ReleaseJob,
  more: Suspect,
  { registry, now }: ReleaseDeps,
  signal: AbortSignal,
): Promise<Ending | undefined> {
  const standing = standingOf(await readMarks(registry, job.repository, { signal }), now().toISOString());
  if (standing.quarantined.length === 0) return undefined;
  const platforms = await job.candidate.digests(signal);
  const found = quarantineOf(standing, { inputs: inputsDigest(job.inputs), platforms, ...more });
  return found && { outcome: 'blocked', summary: explainQuarantine(found, job.image.name) };
}

function explainQuarantine({ version, digest, by, why }: Quarantine, image: string): string {
  const what = version ?? digest;
  return `the same content as ${what}, which ${by} quarantined: ${why}; "ingot unquarantine ${image} ${what}" lifts it`;
}
