import { digestOf } from '../domain/digest.ts';
import type { ImageContent, PlatformContent } from '../domain/image-content.ts';
import { canonicalJson } from '../domain/inputs.ts';
import { explainVerdict, judge } from '../domain/judge.ts';
import { stagingTag } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
import { atTag } from '../domain/reference.ts';
import type { CandidateFacts, Verdict } from '../domain/verdict.ts';
import type { Call } from '../registry/registry.ts';
import type { ReleaseDeps, ReleaseJob } from './release.ts';
import { readContent } from './release-content.ts';
import { readTag } from './releases.ts';
import type { Step } from './steps.ts';

/**
 * Judges the candidate on the facts in staging. Always computed anew: database, policy, waivers and the day may
 * have changed since a candidate was blocked (decisions 10).
 */
export function verdictStep(job: ReleaseJob, deps: ReleaseDeps): Step {
  return {
    name: 'verdict',
    external: false,
    isDone: async () => false,
    async run(signal) {
      const verdict = await judgeCandidate(job, deps, signal);
      const facts = canonicalJson(verdict);
      await job.candidate.evidence.putJson(stagingTag.verdict(job.key), 'verdict', digestOf(facts), verdict, {
        signal,
      });
      if (verdict.allowed) return;
      return { outcome: 'blocked', summary: explainVerdict(verdict).join('\n') };
    },
  };
}

export async function judgeCandidate(job: ReleaseJob, deps: ReleaseDeps, signal: AbortSignal): Promise<Verdict> {
  const { image, inputs, candidate } = job;
  const platforms = await Promise.all(image.platforms.map((platform) => candidate.facts(platform, signal)));
  const previous = await readPrevious(job, deps, { signal });
  const facts: CandidateFacts = {
    image: image.name,
    declared: image.platforms,
    platforms,
    inputs: inputs.inputs.map(({ name }) => name),
    ...(previous === undefined
      ? {}
      : {
          previousSize: mapContent(previous, ({ size }) => size),
          previousFindings: mapContent(previous, ({ findings }) => findings),
        }),
  };
  return judge(facts, deps.settings.policy, image.waivers, deps.now());
}

/** The release in use, its vulnerabilities as known now: a candidate that is better need not be clean (decisions 10). */
async function readPrevious(
  { image, repository }: ReleaseJob,
  deps: ReleaseDeps,
  call: Call,
): Promise<ImageContent | undefined> {
  const release = await readTag(deps.registry, atTag(repository, image.line), call);
  return release && (await readContent(repository, release.platforms, deps, call));
}

function mapContent<T>(content: ImageContent, pick: (platform: PlatformContent) => T): Partial<Record<Platform, T>> {
  return Object.fromEntries(
    Object.entries(content).flatMap(([platform, each]) => (each ? [[platform, pick(each)]] : [])),
  );
}
