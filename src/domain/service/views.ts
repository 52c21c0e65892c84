import type { Digest } from '../digest.ts';
import type { Mistake } from '../errors.ts';
import type { Image } from '../fleet/model.ts';
import type { FreshnessGoals, FreshnessSample } from '../freshness.ts';
import type { FreshnessBreach } from '../freshness-breaches.ts';
import type { PlanEntry, PlanState } from '../plan.ts';
import type { Platform } from '../platform.ts';
import type { Outcome, Run } from '../run.ts';
import type { Hold, Reason } from '../staleness.ts';
import type { Pause, Quarantine } from '../standing.ts';

/** Times are RFC 3339, UTC. */
export type Time = string;

/** Priorities of runs, the most urgent first. */
export const PRIORITIES = ['critical', 'requested', 'base-change', 'nightly'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What is asked of a method that takes part of a long list. `cursor`: `next` of the page before. */
export interface Paging {
  /** 1 to 200; default 50. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. */
  readonly next?: string;
}

/** Which definitions are in use, and whether newer ones were refused. */
export interface FleetState {
  readonly name: string;
  /** Where they come from, without user and password: a folder or `git+https://…#branch`. */
  readonly source: string;
  /** The commit in use, when they come from git. */
  readonly commit?: string;
  /** What runs are given: the definitions as they lie in the registry. */
  readonly digest: Digest;
  /** Since when these definitions are in use, and when they were last looked at. */
  readonly loadedAt: Time;
  readonly checkedAt: Time;
  readonly images: number;
  readonly registry: string;
  readonly platforms: readonly Platform[];
  /** The last look found definitions that are not in use, and why: those above stay. */
  readonly refused?: {
    readonly at: Time;
    readonly commit?: string;
    readonly message: string;
    readonly mistakes: readonly Mistake[];
  };
  readonly paused?: Pause;
}

export interface ReleaseView {
  readonly version: string;
  readonly digest: Digest;
  readonly created?: Time;
  readonly platforms: Readonly<Partial<Record<Platform, Digest>>>;
}

export interface ImageView {
  readonly name: string;
  readonly definition: Image;
  /** `host/path` without tag. */
  readonly repository: string;
  /** Golden images that it uses and that use it. */
  readonly parents: readonly string[];
  readonly children: readonly string[];
  readonly state: PlanState;
  readonly reasons: readonly Reason[];
  readonly holds: readonly Hold[];
  readonly unknown?: string;
  /** What is in use; absent: never released, or not known. */
  readonly release?: ReleaseView;
  readonly paused?: Pause;
  readonly quarantined: readonly Quarantine[];
  /** The newest. */
  readonly lastRun?: RunView;
  /** When state, reasons and release were looked at. */
  readonly checkedAt?: Time;
}

export type RunState =
  /** Asked for; a plan has not started it yet, and `holds` says why. */
  | 'waiting'
  /** In a queue; no worker has begun. */
  | 'queued'
  | 'running'
  | 'ended';

/** A run as people ask about it, from the moment in which it is asked for. */
export interface RunView extends Omit<Run, 'inputs'> {
  /** Absent while it waits: inputs are decided when it starts. */
  readonly inputs?: Digest;
  readonly state: RunState;
  readonly priority: Priority;
  /** Who asked for it, and why; absent when the factory decided by itself. */
  readonly request?: { readonly by: string; readonly reason?: string; readonly at: Time };
}

export interface RunFilter extends Paging {
  readonly image?: string | undefined;
  readonly state?: RunState | undefined;
  readonly outcome?: Outcome | undefined;
  /** Kind of any of its reasons: `base-changed`. */
  readonly reason?: Reason['kind'] | undefined;
  /** Started at or after, and before. */
  readonly since?: Time | undefined;
  readonly until?: Time | undefined;
}

export interface RebuildRequest {
  /** Names of images; with `upstreams`, all that either names. */
  readonly images?: readonly string[] | undefined;
  /** References as definitions write them, or whole; every image that uses one. */
  readonly upstreams?: readonly string[] | undefined;
  readonly reason?: string | undefined;
  /** Default `requested`. */
  readonly priority?: Priority | undefined;
  /** Who asks. */
  readonly by: string;
  /** Only say what would be done. */
  readonly dryRun?: boolean | undefined;
  /** The same key within a day gets the same answer, and starts nothing more; another request under it is a `conflict`. */
  readonly idempotencyKey?: string | undefined;
}

export interface RebuildAnswer {
  /** One for each image, waiting at first; one that waits already for the same image is given again. Empty for a dry run. */
  readonly runs: readonly RunView[];
  /** What a plan says of each image with the request: only for a dry run. */
  readonly plan?: readonly PlanEntry[];
}

export interface LogTail {
  readonly platform: string;
  /** At most the last 500 lines. */
  readonly lines: readonly string[];
}

export interface PlanView {
  /** When facts were gathered. */
  readonly at: Time;
  readonly entries: readonly PlanEntry[];
}

export interface UpstreamView {
  readonly name: string;
  /** Where it is read from instead, when that is elsewhere. */
  readonly source?: string;
  readonly digest?: Digest;
  readonly created?: Time;
  readonly firstSeenAt?: Time;
  readonly checkedAt?: Time;
  readonly platforms: Readonly<Partial<Record<Platform, Digest>>>;
  readonly images: readonly string[];
  /** It could not be asked when it was looked at last. */
  readonly unknown?: string;
}

export interface PullView {
  readonly repository: string;
  readonly number: number;
  readonly title: string;
  readonly state: string;
  readonly body: string;
  /** Absent for one that moves pins of several. */
  readonly image?: string;
  readonly url?: string;
  readonly createdAt?: Time;
  readonly updatedAt?: Time;
}

export interface Change {
  readonly by: string;
  readonly reason?: string | undefined;
}

export interface RollbackView {
  readonly image: string;
  readonly version: string;
  readonly digest: Digest;
  /** What was left, and is quarantined now. */
  readonly left: readonly { readonly version: string; readonly digest: Digest }[];
  readonly channels: readonly string[];
  readonly already: boolean;
}

export interface QuarantineView {
  readonly image: string;
  readonly digest: Digest;
  readonly version?: string;
  /** False when it was so already. */
  readonly changed: boolean;
}

/** How long changes outside the fleet take to get into it. */
export interface FreshnessView {
  readonly goals: FreshnessGoals;
  /** The newest change first, capped. */
  readonly samples: readonly FreshnessSample[];
  /** Goals that are not kept, those that still run first. */
  readonly breaches: readonly FreshnessBreach[];
}
