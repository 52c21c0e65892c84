import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** RFC 3339, UTC. */
type Time = string;

/** Places on the way of a change, in their order. */
export const FRESHNESS_STAGES = ['detected', 'built', 'released', 'opened', 'merged'] as const;
export type FreshnessStage = (typeof FRESHNESS_STAGES)[number];

/** One change outside the fleet, and when it got how far in one golden image. Times are RFC 3339, UTC. */
export interface FreshnessSample {
  /** `<image>|<hash>`: the same for as long as it is the same change of the same release. */
  readonly id: string;
  readonly image: string;
  /** `upstream`: an image outside the fleet moved. `fix`: a critical vulnerability of the release can be fixed. */
  readonly kind: 'upstream' | 'fix';
  /** Name of the upstream, or of the source package. */
  readonly upstream: string;
  /** What the upstream points to since. */
  readonly digest?: Digest;
  /** The tag that a tracked upstream resolved to. */
  readonly tag?: string;
  /** Of a fix: ids of the findings that it ends, and the version that does. */
  readonly findings?: readonly string[];
  readonly fixed?: string;
  /** When it changed outside: see `changedAt` of an observation, and `since` of a fix. */
  readonly changedAt: Time;
  readonly detectedAt: Time;
  readonly detectedBy?: 'watch' | 'webhook';
  /** Of the platforms whose content changed. */
  readonly platforms?: Readonly<Partial<Record<Platform, PlatformTimes>>>;
  /** What held it up, by kind of hold, since when and why. */
  readonly holds?: Readonly<Record<string, { readonly at: Time; readonly why: string }>>;
  /** The run that ended it, and what that released or found equal. */
  readonly run?: string;
  readonly version?: string;
  readonly release?: Digest;
  /** `unchanged`: the content with the change is equal to that of the release in use. Absent: it goes on. */
  readonly outcome?: 'released' | 'unchanged';
  readonly releasedAt?: Time;
  /** Pull requests that propose the release, as `<repository>#<number>`. */
  readonly pulls?: Readonly<Record<string, PullTimes>>;
}

export interface PlatformTimes {
  /** When upstream made it. */
  readonly createdAt?: Time;
  readonly builtAt?: Time;
}

export interface PullTimes {
  readonly repository: string;
  readonly number: number;
  readonly branch: string;
  readonly openedAt: Time;
  readonly mergedAt?: Time;
  /** Closed without being merged. */
  readonly closedAt?: Time;
}

/** Seconds; what is absent is no goal. */
export interface FreshnessGoals {
  /** From the change of an upstream until it is seen. */
  readonly detectSeconds?: number;
  /** From the change of an upstream until it is released. */
  readonly releaseSeconds?: number;
  /** From the fix of a critical or exploited vulnerability until it is released. */
  readonly criticalSeconds?: number;
}
export type FreshnessGoal = 'detect' | 'release' | 'critical';

/** Seconds by the nearest rank: a value that was measured, never one in between. Absent when there is none. */
export interface Percentiles {
  readonly count: number;
  readonly p50?: number;
  readonly p95?: number;
}

export type StagePercentiles = Readonly<Record<FreshnessStage, Percentiles>>;

/** Samples of one image or month. */
export interface FreshnessGroup {
  readonly key: string;
  readonly count: number;
  readonly stages: StagePercentiles;
}

/** Seconds from the change to each stage; of pull requests one for each repository. Fixes are no part of it. */
export function lagsOf(sample: FreshnessSample, stage: FreshnessStage): readonly number[] {
  const known = measured.get(sample);
  if (known !== undefined) return known[stage];
  const lags = measure(sample);
  measured.set(sample, lags);
  return lags[stage];
}

type Lags = Readonly<Record<FreshnessStage, readonly number[]>>;

/** Thousands of samples are asked about several times for one page, and most of parsing them is parsing times. */
const measured = new WeakMap<FreshnessSample, Lags>();

function measure(sample: FreshnessSample): Lags {
  const lags = (stage: FreshnessStage) => {
    if (sample.kind !== 'upstream') return [];
    return timesOf(sample, stage).map((time) => secondsBetween(sample.changedAt, time));
  };
  return Object.fromEntries(FRESHNESS_STAGES.map((stage) => [stage, lags(stage)])) as unknown as Lags;
}

function timesOf(sample: FreshnessSample, stage: FreshnessStage): readonly Time[] {
  const pulls = Object.values(sample.pulls ?? {});
  switch (stage) {
    case 'detected':
      return [sample.detectedAt];
    case 'built':
      return present(builtAt(sample));
    case 'released':
      return present(sample.releasedAt);
    case 'opened':
      return pulls.map(({ openedAt }) => openedAt);
    case 'merged':
      return pulls.flatMap(({ mergedAt }) => present(mergedAt));
  }
}

/** When the last of its platforms was built. */
export function builtAt({ platforms = {} }: FreshnessSample): Time | undefined {
  const times = Object.values(platforms).map((platform) => platform?.builtAt);
  if (times.length === 0 || times.some((time) => time === undefined)) return undefined;
  return (times as Time[]).sort().at(-1);
}

function present(time: Time | undefined): readonly Time[] {
  return time === undefined ? [] : [time];
}

/** Clocks differ from machine to machine: what seems to be before its cause was at the same time. */
export function secondsBetween(from: Time, to: Time): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

/** From the change to each stage: p50 and p95 of these samples. */
export function stagePercentiles(samples: readonly FreshnessSample[]): StagePercentiles {
  const of = (stage: FreshnessStage) => percentilesOf(samples.flatMap((sample) => lagsOf(sample, stage)));
  return Object.fromEntries(FRESHNESS_STAGES.map((stage) => [stage, of(stage)])) as StagePercentiles;
}

export function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  if (sorted.length === 0) return { count: 0 };
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95) };
}

/** The slowest to be released first. */
export function percentilesByImage(samples: readonly FreshnessSample[]): readonly FreshnessGroup[] {
  const slow = ({ stages }: FreshnessGroup) => stages.released.p95 ?? -1;
  return groupsBy(samples, ({ image }) => image).sort((a, b) => slow(b) - slow(a) || (a.key < b.key ? -1 : 1));
}

/** By the month (UTC) of the change, the oldest first. */
export function percentilesByMonth(samples: readonly FreshnessSample[]): readonly FreshnessGroup[] {
  return groupsBy(samples, ({ changedAt }) => changedAt.slice(0, 7)).sort((a, b) => (a.key < b.key ? -1 : 1));
}

function groupsBy(samples: readonly FreshnessSample[], keyOf: (sample: FreshnessSample) => string): FreshnessGroup[] {
  const upstreams = samples.filter(({ kind }) => kind === 'upstream');
  return [...Map.groupBy(upstreams, keyOf)].map(([key, each]) => ({
    ...{ key, count: each.length },
    stages: stagePercentiles(each),
  }));
}
