import { isSameContent } from '../domain/content-diff.ts';
import { inputsDigest } from '../domain/inputs.ts';
import { type Quarantine, quarantineOf, type Suspect, standingOf } from '../domain/standing.ts';
import { refuseForeign } from './adopt.ts';
import { comparePlatforms } from './compare-platforms.ts';
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
    run: async (signal) =>
      (await refuseQuarantined(job, {}, deps, signal)) ??
      (await refuseAlike(job, deps, signal)) ??
      (await refuseForeign(job, deps, signal)),
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

/** Layers are read for it, so that only the last ones count; older ones are known by their digests. */
const COMPARED = 3;

/** The content of something quarantined, built again from other inputs, with other times in it. */
async function refuseAlike(
  { image, repository, staging, candidate }: ReleaseJob,
  { registry, now }: ReleaseDeps,
  signal: AbortSignal,
): Promise<Ending | undefined> {
  const { quarantined } = standingOf(await readMarks(registry, repository, { signal }), now().toISOString());
  const { platforms } = image;
  const after = { repository: staging, digests: await candidate.digests(signal) };
  for (const quarantine of quarantined.slice(-COMPARED).reverse()) {
    const digests = quarantine.platforms ?? {};
    if (!platforms.every((platform) => digests[platform] !== undefined)) continue;
    const sides = [{ repository, digests }, after] as const;
    const compared = await comparePlatforms(registry, sides, { platforms, brief: true, signal });
    const isAlike = compared?.every(({ diff }) => isSameContent(diff)) ?? false;
    if (isAlike) return { outcome: 'blocked', summary: explainQuarantine(quarantine, image.name) };
  }
  return undefined;
}

function explainQuarantine({ version, digest, by, why }: Quarantine, image: string): string {
  const what = version ?? digest;
  return `the same content as ${what}, which ${by} quarantined: ${why}; "ingot unquarantine ${image} ${what}" lifts it`;
}
