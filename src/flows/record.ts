import type { Platform } from '../domain/platform.ts';
import { atDigest } from '../domain/reference.ts';
import { areAttachmentsRecorded, recordAttachments } from './attachments.ts';
import type { CandidateIndex } from './candidate-index.ts';
import { areGatesRecorded, recordGates } from './gates.ts';
import type { ReleaseDeps, ReleaseJob } from './release.ts';
import { attachNativeSbom, hasNativeSbom } from './release-content.ts';
import { attachInputs, hasInputs } from './releases.ts';
import type { Step } from './steps.ts';

/** What later plans, rescans and repairs need to know of the release: its inputs, each platform's native SBOM, what gates said, and the list of what is attached. */
export function recordStep(
  job: ReleaseJob,
  deps: ReleaseDeps,
  indexOf: (signal: AbortSignal) => Promise<CandidateIndex>,
): Step {
  const { registry } = deps;
  const { repository, candidate, inputs } = job;
  const subjectOf = async (platform: Platform, signal: AbortSignal) =>
    atDigest(repository, await candidate.digest(platform, signal));
  return {
    name: 'record',
    external: false,
    async isDone(signal) {
      const index = await indexOf(signal);
      if (!(await hasInputs(registry, atDigest(repository, index.digest), inputs, { signal }))) return false;
      if (!(await areGatesRecorded(job, index, deps, { signal }))) return false;
      if (!(await areAttachmentsRecorded(registry, atDigest(repository, index.digest), { signal }))) return false;
      const checks = job.image.platforms.map(async (platform) =>
        hasNativeSbom(registry, await subjectOf(platform, signal), { signal }),
      );
      return (await Promise.all(checks)).every(Boolean);
    },
    async run(signal) {
      const index = await indexOf(signal);
      const { digest, created } = index;
      await recordGates(job, index, deps, { signal });
      const platforms = await candidate.digests(signal);
      await recordAttachments(registry, repository, { digest, platforms }, { signal, createdAt: created });
      for (const platform of job.image.platforms) {
        const subject = await subjectOf(platform, signal);
        if (await hasNativeSbom(registry, subject, { signal })) continue;
        const { native } = await candidate.sbom(platform, signal);
        await attachNativeSbom(registry, subject, native, { signal, createdAt: created });
      }
      const release = atDigest(repository, digest);
      if (await hasInputs(registry, release, inputs, { signal })) return;
      await attachInputs(registry, release, inputs, { signal, createdAt: created });
    },
  };
}
