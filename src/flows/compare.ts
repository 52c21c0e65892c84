import { explainDifference, isSameContent, listDifferences } from '../domain/content-diff.ts';
import { type Inputs, inputsDigest } from '../domain/inputs.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest } from '../domain/reference.ts';
import { MAX_DIFFERS } from '../domain/run.ts';
import type { Reason, Release } from '../domain/staleness.ts';
import type { ComparedContent } from '../image/compare.ts';
import { comparePlatforms } from './compare-platforms.ts';
import type { ReleaseDeps, ReleaseJob } from './release.ts';
import { attachInputs, hasInputs, readRelease } from './releases.ts';
import { isBeyondRepair } from './repair-step.ts';
import type { Ending, Step } from './steps.ts';

type CompareJob = Pick<
  ReleaseJob,
  'image' | 'inputs' | 'reasons' | 'repository' | 'staging' | 'candidate' | 'notes' | 'differs'
>;
type CompareDeps = Pick<ReleaseDeps, 'registry' | 'now'>;

/** The same content is no news: the inputs are noted on the release in use, and nothing moves. */
export function compareStep(job: CompareJob, deps: CompareDeps): Step {
  return {
    name: 'compare',
    external: false,
    isDone: async () => false,
    async run(signal) {
      const found = await readRelease(deps.registry, job.repository, job.image, { signal });
      if (found.state === 'unknown') throw new Error(found.why);
      if (found.state === 'absent') return;
      const release = found.value;
      const digests = await job.candidate.digests(signal);
      if (!samePlatforms(release, job.image.platforms)) return;
      if (job.image.platforms.every((platform) => release.platforms[platform] === digests[platform])) {
        if (await isBeyondRepair(release, job, deps, signal)) return;
        return unchanged(release, '', job, deps, signal);
      }
      if (!mayStay(release, job.reasons)) return;
      const { repository, staging, image, inputs } = job;
      const sides = [
        { repository, digests: release.platforms },
        { repository: staging, digests },
      ] as const;
      const brief = !isRepeated(release, inputs);
      const compared = await comparePlatforms(deps.registry, sides, { platforms: image.platforms, brief, signal });
      if (compared === undefined) return;
      if (compared.every(({ diff }) => isSameContent(diff))) {
        return unchanged(release, `, only ${whatDiffers(compared)} differ`, job, deps, signal);
      }
      noteChange(release, compared.at(-1)!, job);
    },
  };
}

function samePlatforms(release: Release, platforms: readonly Platform[]): boolean {
  const released = Object.keys(release.platforms);
  return released.length === platforms.length && platforms.every((platform) => released.includes(platform));
}

async function unchanged(
  { digest, version }: Release,
  how: string,
  { repository, inputs }: CompareJob,
  { registry, now }: CompareDeps,
  signal: AbortSignal,
): Promise<Ending> {
  const release = atDigest(repository, digest);
  if (!(await hasInputs(registry, release, inputs, { signal }))) {
    await attachInputs(registry, release, inputs, { signal, createdAt: now().toISOString() });
  }
  return { outcome: 'unchanged', summary: `the same content as ${version}${how}: nothing is published` };
}

/** A release that lacks something, or that somebody else made, is not good enough to stay for its content alone. */
function mayStay({ foreign }: Release, reasons: readonly Reason[]): boolean {
  return foreign !== true && reasons.every(({ kind }) => kind !== 'release-damaged');
}

function whatDiffers(compared: readonly ComparedContent[]): string {
  const paths = [...new Set(compared.flatMap(({ diff }) => diff.files.ignored))];
  if (paths.length === 0) return 'times';
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : '';
  return `times and files that do not count (${paths.slice(0, 3).join(', ')}${more})`;
}

/** Newer packages are a change that inputs need not tell of: then what a package manager writes has changed, too. */
const FROM_ARCHIVES: readonly Reason['kind'][] = ['package-updates', 'vulnerability-fixable'];
const PACKAGE_DATABASE =
  /^\/(var\/lib\/dpkg\/status|(usr\/)?lib\/apk\/db\/installed|(var|usr)\/lib\/(sysimage\/)?rpm\/)/;
const NAMED = 5;

/** Rebuilt from the same inputs, and something came out differently: with each rebuild it would. */
function noteChange(release: Release, { diff }: ComparedContent, job: CompareJob): void {
  const { inputs, reasons, notes, differs } = job;
  if (!isRepeated(release, inputs)) return;
  const { added, changed } = diff.files;
  const hasNewPackages = [...added, ...changed.map(({ path }) => path)].some((path) => PACKAGE_DATABASE.test(path));
  if (hasNewPackages && reasons.some(({ kind }) => FROM_ARCHIVES.includes(kind))) return;
  notes.push(`changed since ${release.version} although its inputs did not: ${explainDifference(diff, NAMED)}`);
  differs.push(...listDifferences(diff).slice(0, MAX_DIFFERS));
}

/** The archives' state counts here, too, but not when a person asked. */
function isRepeated({ inputs }: Release, now: Inputs): boolean {
  return inputs !== undefined && inputsDigest(inputs) === inputsDigest(now) && inputs.snapshot === now.snapshot;
}
