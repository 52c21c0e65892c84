import pLimit from 'p-limit';
import type { Digest } from '../domain/digest.ts';
import type { FleetFacts } from '../domain/facts.ts';
import type { PullTimes } from '../domain/freshness.ts';
import { endOf, trackFreshness } from '../domain/freshness-track.ts';
import { branchOf } from '../domain/our-branches.ts';
import type { PlanEntry } from '../domain/plan.ts';
import type { ForgeRepository, PullRequest } from '../forge/forge.ts';
import type { FreshnessStore } from '../ledger/freshness.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ProposeResult } from './propose.ts';

export interface FreshnessDeps {
  /** Absent: nobody keeps how long things take. */
  readonly freshness?: FreshnessStore;
  readonly ledger: Pick<Ledger, 'runs'>;
}

/** Runs of an image that are looked through for the one that brought a change in. */
const RUNS_READ = 20;

/** Writes down what a plan shows of changes on their way. To be called with each plan; twice does no harm. */
export async function noteChanges(
  facts: FleetFacts,
  entries: readonly PlanEntry[],
  { freshness, ledger }: FreshnessDeps,
): Promise<void> {
  if (freshness === undefined || facts.now === undefined) return;
  const { noted, over } = trackFreshness({ facts, entries, open: await freshness.open(), now: facts.now });
  for (const sample of noted) await freshness.note(sample);
  for (const [image, samples] of Map.groupBy(over, (sample) => sample.image)) {
    const release = facts.releases.get(image);
    const runs = await ledger.runs({ image, limit: RUNS_READ });
    for (const sample of samples) {
      const ended = endOf(sample, release?.state === 'known' ? release.value : undefined, runs);
      await (ended === undefined ? freshness.drop(sample.id) : freshness.note(ended));
    }
  }
}

export interface ProposedRelease {
  readonly image: string;
  /** Of the release that is proposed. */
  readonly digest: Digest;
  readonly results: readonly ProposeResult[];
}

/** Enough for all changes that one release brought in. */
const SAMPLES_READ = 200;

/** Writes down which pull requests propose the release that brought changes in. */
export async function noteProposed(
  { image, digest, results }: ProposedRelease,
  freshness: FreshnessStore,
  openedAt: string,
): Promise<void> {
  const proposing = results.filter(({ action, number }) => PROPOSING.has(action) && number !== undefined);
  if (proposing.length === 0) return;
  const pulls = proposing.map(({ repository, base, number }): readonly [string, PullTimes] => {
    const branch = branchOf(image, { base: base ?? '', defaultBranch: base && '' });
    return [`${repository}#${number}`, { repository, number: number!, branch, openedAt }];
  });
  for (const sample of await freshness.samples({ image, limit: SAMPLES_READ })) {
    if (sample.release !== digest) continue;
    const unknown = pulls.filter(([name]) => sample.pulls?.[name] === undefined);
    if (unknown.length > 0) await freshness.note({ ...sample, pulls: Object.fromEntries(unknown) });
  }
}

const PROPOSING: ReadonlySet<ProposeResult['action']> = new Set(['opened', 'updated', 'unchanged']);

/** Asks for the pull requests that were open when they were last asked for, and for no other. */
export async function followProposed(
  freshness: FreshnessStore,
  downstreams: readonly ForgeRepository[],
  signal: AbortSignal,
): Promise<void> {
  const samples = await freshness.proposed();
  if (samples.length === 0) return;
  const open = samples.flatMap(({ pulls = {} }) => Object.values(pulls).filter(isOpen));
  const places = new Map(open.map((pull) => [`${pull.repository} ${pull.branch}`, pull]));
  const limit = pLimit(ASKED_AT_ONCE);
  const answers = await limit.map([...places.values()], async ({ repository, branch }) => {
    const found = downstreams.filter(({ name }) => name === repository);
    const asked = await Promise.all(found.map((each) => each.pulls({ branch }, { signal }).catch(() => [])));
    return asked.flat(); // one that cannot be asked is asked again
  });
  signal.throwIfAborted();
  const ended = new Map(answers.flat().map((pull) => [`${pull.repository}#${pull.number}`, endOfPull(pull)]));
  for (const sample of samples) {
    const news = Object.entries(sample.pulls ?? {}).flatMap(([name, pull]) => {
      const end = isOpen(pull) ? ended.get(name) : undefined;
      return end === undefined ? [] : [[name, { ...pull, ...end }] as const];
    });
    if (news.length > 0) await freshness.note({ ...sample, pulls: Object.fromEntries(news) });
  }
}

const ASKED_AT_ONCE = 8;

function isOpen({ mergedAt, closedAt }: PullTimes): boolean {
  return mergedAt === undefined && closedAt === undefined;
}

function endOfPull({ state, mergedAt, updatedAt }: PullRequest): Partial<PullTimes> | undefined {
  const at = (time: string) => new Date(time).toISOString();
  if (state === 'merged') return { mergedAt: at(mergedAt ?? updatedAt) };
  return state === 'closed' ? { closedAt: at(updatedAt) } : undefined;
}
