import { formatDuration } from './duration.ts';
import { type FreshnessGoal, type FreshnessGoals, type FreshnessSample, secondsBetween } from './freshness.ts';
import type { PlanEntry } from './plan.ts';
import { explainHold } from './reasons.ts';
import type { Time } from './service/views.ts';
import { familiarName } from './upstream.ts';

/** A goal of freshness that an image did not keep, or does not keep now. */
export interface FreshnessBreach {
  readonly image: string;
  readonly goal: FreshnessGoal;
  readonly goalSeconds: number;
  /** What it took, or has taken until now. */
  readonly seconds: number;
  /** The upstream that changed, or the source package that was fixed. */
  readonly upstream: string;
  /** Ids of what is fixed. */
  readonly findings?: readonly string[];
  readonly changedAt: Time;
  /** The change is not released yet. */
  readonly running: boolean;
  /** Nobody knows whether it changed: it could not be asked since `changedAt`. */
  readonly unseen?: boolean;
  /** Since when the goal is not kept. */
  readonly since: Time;
  /** When the change was released. */
  readonly releasedAt?: Time;
  /** What holds it up, or did, in words. */
  readonly why?: string;
}

export interface BreachFacts {
  readonly samples: readonly FreshnessSample[];
  readonly goals: FreshnessGoals;
  /** The plan: what holds images up now. */
  readonly entries?: readonly PlanEntry[];
  /** Upstreams that could not be asked when they were looked at last. */
  readonly unasked?: readonly UnaskedUpstream[];
  readonly now: Time;
}

/** What changes in it is not seen for as long as it cannot be asked. */
export interface UnaskedUpstream {
  readonly name: string;
  readonly images: readonly string[];
  /** When it answered last. */
  readonly checkedAt: Time;
  readonly why: string;
}

/** All goals that are not kept: those that still run first, the worst of them first; then the newest. */
export function findBreaches(facts: BreachFacts): readonly FreshnessBreach[] {
  const { samples, goals, entries = [], unasked = [], now } = facts;
  const plan = new Map(entries.map((entry) => [entry.image, entry]));
  const breaches = [
    ...unasked.flatMap((upstream) => unseen(upstream, goals.detectSeconds, now)),
    ...samples.flatMap((sample) => breachesOf(sample, goals, { entry: plan.get(sample.image), now })),
  ];
  const excess = ({ seconds, goalSeconds }: FreshnessBreach) => seconds / goalSeconds;
  return breaches.sort((a, b) => {
    if (a.running !== b.running) return a.running ? -1 : 1;
    return a.running ? excess(b) - excess(a) : Date.parse(b.since) - Date.parse(a.since);
  });
}

/** Those that still run, one an image and goal: the worst. What people have to be told. */
export function runningBreaches(breaches: readonly FreshnessBreach[]): readonly FreshnessBreach[] {
  const running = breaches.filter((breach) => breach.running);
  return [...Map.groupBy(running, ({ image, goal }) => `${image} ${goal}`).values()].map(([worst]) => worst!);
}

function unseen({ name, images, checkedAt, why }: UnaskedUpstream, goal: number | undefined, now: Time) {
  const seconds = secondsBetween(checkedAt, now);
  if (goal === undefined || seconds <= goal) return [];
  const since = new Date(Date.parse(checkedAt) + goal * 1000).toISOString();
  return images.map((image): FreshnessBreach => {
    const about = { image, goal: 'detect', goalSeconds: goal, seconds, upstream: name, why } as const;
    return { ...about, changedAt: checkedAt, since, running: true, unseen: true };
  });
}

type ExplainedBreach = Pick<FreshnessBreach, 'goal' | 'goalSeconds' | 'seconds'> &
  Partial<Pick<FreshnessBreach, 'upstream' | 'findings' | 'unseen' | 'why'>>;

/** In one line, for people. */
export function explainBreach({
  goal,
  goalSeconds,
  seconds,
  upstream,
  findings,
  unseen,
  why,
}: ExplainedBreach): string {
  const span = (of: number) => formatDuration(of * 1000);
  const what = upstream === undefined ? '' : afterWhat(goal, upstream, findings);
  const after = what && (unseen ? ` since ${familiarName(upstream!)} was asked` : ` after ${what}`);
  return `the goal "${goal}" is ${span(goalSeconds)}, and it is ${span(seconds)}${after}${why ? `; ${why}` : ''}`;
}

const NAMED = 3;

function afterWhat(goal: FreshnessGoal, upstream: string, findings: readonly string[] = []): string {
  if (goal !== 'critical') return `${familiarName(upstream)} changed`;
  const rest = findings.length > NAMED ? ` and ${findings.length - NAMED} more` : '';
  return `${upstream} was fixed (${findings.slice(0, NAMED).join(', ')}${rest})`;
}

interface Around {
  readonly entry: PlanEntry | undefined;
  readonly now: Time;
}

function breachesOf(sample: FreshnessSample, goals: FreshnessGoals, around: Around): FreshnessBreach[] {
  const { kind, changedAt, detectedAt, releasedAt } = sample;
  const end = releasedAt ?? around.now;
  const { detectSeconds, releaseSeconds, criticalSeconds } = goals;
  const whole = secondsBetween(changedAt, end);
  if (kind === 'fix') return breach(sample, { goal: 'critical', goalSeconds: criticalSeconds, seconds: whole }, around);
  return [
    ...breach(
      sample,
      { goal: 'detect', goalSeconds: detectSeconds, seconds: secondsBetween(changedAt, detectedAt) },
      around,
    ),
    ...breach(sample, { goal: 'release', goalSeconds: releaseSeconds, seconds: whole }, around),
  ];
}

interface Measured {
  readonly goal: FreshnessGoal;
  readonly goalSeconds: number | undefined;
  readonly seconds: number;
}

function breach(
  sample: FreshnessSample,
  { goal, goalSeconds, seconds }: Measured,
  { entry }: Around,
): FreshnessBreach[] {
  if (goalSeconds === undefined || seconds <= goalSeconds) return [];
  const { image, upstream, findings, changedAt, releasedAt } = sample;
  const running = releasedAt === undefined;
  const why = running ? whyNotYet(sample, entry) : whyThen(sample);
  return [
    {
      ...{ image, goal, goalSeconds, seconds, upstream, changedAt, running },
      since: new Date(Date.parse(changedAt) + goalSeconds * 1000).toISOString(),
      ...(findings && { findings }),
      ...(releasedAt && { releasedAt }),
      ...(why && { why }),
    },
  ];
}

function whyNotYet(sample: FreshnessSample, entry: PlanEntry | undefined): string | undefined {
  if (entry === undefined) return whyThen(sample);
  if (entry.holds.length > 0) return `held: ${entry.holds.map(explainHold).join('; ')}`;
  if (entry.state === 'running') return 'its run is under way';
  if (entry.state === 'fresh') return 'no release of its parent has the change yet';
  return entry.state === 'unknown' ? entry.unknown : undefined;
}

function whyThen({ holds = {} }: FreshnessSample): string | undefined {
  const found = Object.values(holds).map(({ why }) => why);
  return found.length === 0 ? undefined : `it was held: ${found.join('; ')}`;
}
