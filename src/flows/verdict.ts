import { digestOf } from '../domain/digest.ts';
import type { Image } from '../domain/fleet/model.ts';
import { gatesOf } from '../domain/fleet/settings-gates.ts';
import { canonicalJson } from '../domain/inputs.ts';
import { explainVerdict, judge } from '../domain/judge.ts';
import { stagingTag } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import type { Release } from '../domain/staleness.ts';
import { standingOf } from '../domain/standing.ts';
import { nameWithTag } from '../domain/upstream.ts';
import type { CandidateFacts, Finding, Verdict } from '../domain/verdict.ts';
import { readConfig } from '../image/config.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { readMarks } from './marks.ts';
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

/** Everything besides the candidate that its verdict depends on: while that is the same, so is the verdict. */
export async function verdictBasis(
  { name, waivers }: Image,
  {
    scanner,
    settings,
    registry,
    places,
    now,
  }: Pick<ReleaseDeps, 'scanner' | 'settings' | 'registry' | 'places' | 'now'>,
  signal: AbortSignal,
): Promise<string> {
  const marks = await readMarks(registry, places.release(name), { signal });
  const quarantined = standingOf(marks, now().toISOString()).quarantined.map(({ digest }) => digest);
  const { id } = await scanner.database(signal);
  const gates = gatesOf(settings.gates, name, 'before');
  const day = now().toISOString().slice(0, 10);
  return digestOf(canonicalJson({ policy: settings.policy, waivers, gates, quarantined, database: id, day }));
}

export async function judgeCandidate(job: ReleaseJob, deps: ReleaseDeps, signal: AbortSignal): Promise<Verdict> {
  const { image, inputs, candidate, repository } = job;
  const platforms = await Promise.all(image.platforms.map((platform) => candidate.facts(platform, signal)));
  const release = await readTag(deps.registry, atTag(repository, image.line), { signal });
  const facts: CandidateFacts = {
    image: image.name,
    declared: image.platforms,
    platforms,
    inputs: inputs.inputs.map(nameWithTag),
    ...(release && { previousSize: await sizesOf(release, repository, deps.registry, { signal }) }),
  };
  const verdict = judge(facts, deps.settings.policy, image.waivers, deps.now());
  if (verdict.allowed || release === undefined) return verdict;
  const previousFindings = await findingsOf(release, repository, deps, { signal });
  return judge({ ...facts, previousFindings }, deps.settings.policy, image.waivers, deps.now());
}

async function sizesOf({ platforms }: Release, repository: Reference, registry: Registry, call: Call) {
  const sizes = Object.entries(platforms).map(async ([platform, digest]) => {
    const { size } = await readConfig(registry, atDigest(repository, digest!), call);
    return [platform, size] as const;
  });
  return Object.fromEntries(await Promise.all(sizes)) as Partial<Record<Platform, number>>;
}

/** Asked only for a candidate that is not clean: one that is better than what is in use need not wait (decisions 10). */
async function findingsOf({ platforms }: Release, repository: Reference, deps: ReleaseDeps, call: Call) {
  const content = await readContent(repository, platforms, deps, call);
  const findings = Object.entries(content).map(([platform, each]) => [platform, each?.findings ?? []] as const);
  return Object.fromEntries(findings) as Partial<Record<Platform, readonly Finding[]>>;
}
