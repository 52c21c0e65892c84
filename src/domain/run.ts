import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';
import type { Hold, Reason } from './staleness.ts';

export const OUTCOMES = ['released', 'unchanged', 'blocked', 'failed', 'cancelled', 'superseded'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const MAX_DIFFERS = 20;

/** One attempt to bring one golden image up to date, as the ledger keeps it. */
export interface Run {
  /** ULID. */
  readonly id: string;
  readonly image: string;
  readonly inputs: Digest;
  readonly reasons: readonly Reason[];
  readonly holds: readonly Hold[];
  readonly platforms: readonly Platform[];
  /** What its verdict depended on besides the candidate: see `verdictBasis` in facts.ts. */
  readonly basis?: string;
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly outcome?: Outcome;
  /** One line for people: why blocked, what failed. */
  readonly summary?: string;
  /** What changed although the inputs did not, at most `MAX_DIFFERS`: `/etc/build-date`, `/opt/x (added)`. */
  readonly differs?: readonly string[];
  readonly version?: string;
  /** The released index, or the release found equal. */
  readonly digest?: Digest;
  readonly platformDigests?: Readonly<Partial<Record<Platform, Digest>>>;
  /** Who ended it, when it was a person. */
  readonly cancelled?: { readonly by: string; readonly reason?: string; readonly at: string };
  readonly steps: readonly StepRecord[];
}

export type StepState = 'running' | 'done' | 'skipped' | 'failed';

/** What happened to one step of a run. Step identity within a run is (name, platform). */
export interface StepRecord {
  readonly name: string;
  readonly platform?: Platform;
  readonly state: StepState;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt?: number;
  /** True for work of others: build, smoke commands, SBOM, scan, upload. The rest is our own time. */
  readonly external: boolean;
  readonly error?: string;
  /** Done by emulation: no worker of that platform was there. */
  readonly emulated?: boolean;
}
