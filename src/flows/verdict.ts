import { digestOf } from '../domain/digest.ts';
import { canonicalJson } from '../domain/inputs.ts';
import { explainVerdict, judge } from '../domain/judge.ts';
import { stagingTag } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import type { CandidateFacts, Verdict } from '../domain/verdict.ts';
import { readConfig } from '../image/config.ts';
import type { Call, Registry } from '../registry/registry.ts';
import type { ReleaseDeps, ReleaseJob } from './release.ts';
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
  const previous = await readSizes(job, deps.registry, { signal });
  const facts: CandidateFacts = {
    image: image.name,
    declared: image.platforms,
    platforms,
    inputs: inputs.inputs.map(({ name }) => name),
    ...(previous === undefined ? {} : { previousSize: previous }),
  };
  return judge(facts, deps.settings.policy, image.waivers, deps.now());
}

async function readSizes({ image, repository }: ReleaseJob, registry: Registry, call: Call) {
  const release = await readTag(registry, atTag(repository, image.line), call);
  if (release === undefined) return undefined;
  return platformSizes(registry, repository, release.platforms, call);
}

/** Compressed bytes of each platform. */
export async function platformSizes(
  registry: Registry,
  repository: Reference,
  platforms: Readonly<Partial<Record<Platform, `sha256:${string}`>>>,
  call: Call,
): Promise<Partial<Record<Platform, number>>> {
  const sizes = Object.entries(platforms).map(async ([platform, digest]) => {
    const { size } = await readConfig(registry, atDigest(repository, digest!), call);
    return [platform, size] as const;
  });
  return Object.fromEntries(await Promise.all(sizes));
}
