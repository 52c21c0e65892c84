import type { Digest } from '../domain/digest.ts';
import type { Platform } from '../domain/platform.ts';
import type { Run, StepRecord } from '../domain/run.ts';

/** History of runs, and what upstreams pointed to. Losing it loses history only (promise 4). */
export interface Ledger {
  startRun(run: Run): Promise<void>;
  /** Adds the step, or replaces the one of the same name and platform. */
  recordStep(runId: string, step: StepRecord): Promise<void>;
  finishRun(runId: string, end: Partial<Run> & Pick<Run, 'outcome' | 'endedAt'>): Promise<void>;
  run(id: string): Promise<Run | undefined>;
  /** Newest first. `behind`: those older than that run. */
  runs(filter?: { image?: string; limit?: number; behind?: string }): Promise<readonly Run[]>;
  /** Log of a run's platform: the tail is kept, capped, expiring. */
  appendLog(runId: string, platform: string, lines: readonly string[]): Promise<void>;
  log(runId: string, platform: string): Promise<readonly string[]>;
  observe(upstream: string, observation: Observation): Promise<void>;
  observation(upstream: string): Promise<Observation | undefined>;
  /** Waits until nobody else has the lock. @throws FactoryError `timed-out` after `waitMs`, `cancelled` */
  lock(options: LockOptions): Promise<Lock>;
}

export interface LockOptions {
  /** What it is for, as people read it: `golden/debian`. */
  readonly name: string;
  /** It is renewed as long as its holder lives; one that stops loses it after this time. */
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Held by one process at a time. A process that slept may have lost it without knowing: ask before each write. */
export interface Lock {
  /** Greater than that of every holder before. */
  readonly fence: number;
  /** False once somebody else may have it. */
  isHeld(): boolean;
  release(): Promise<void>;
}

/** The last answer about an upstream reference. */
export interface Observation {
  readonly digest: Digest;
  /** Manifests of the platforms that were asked for and are there. */
  readonly platforms: Readonly<Partial<Record<Platform, Digest>>>;
  /** When upstream made it, RFC 3339. */
  readonly created?: string;
  /** The same for each platform. */
  readonly platformsCreated?: Readonly<Partial<Record<Platform, string>>>;
  /** Of tracked tags: the one that was the highest, and what was beyond the range. */
  readonly tag?: string;
  readonly newer?: string;
  /** RFC 3339. */
  readonly firstSeenAt: string;
  readonly checkedAt: string;
  /** When this digest was first looked at, also where `firstSeenAt` is a guess, and what made us look. */
  readonly detectedAt?: string;
  readonly detectedBy?: 'watch' | 'webhook';
  /** When it became this digest: upstream's own time, but not before our last look at the one before. Absent: not known. */
  readonly changedAt?: string;
}
