import type { Digest } from './digest.ts';
import type { Image } from './fleet/model.ts';
import type { Freeze } from './fleet/settings-channels.ts';
import type { RebuildSettings } from './fleet/settings-rebuild.ts';
import type { Mark } from './marks.ts';
import type { Platform } from './platform.ts';
import type { Outcome, Run } from './run.ts';
import type { DiskRoom, FixableFinding, OfferedUpdate, Release } from './staleness.ts';

/** An answer that may be "absent" or "could not be asked": never mixed up (promise 5). */
export type Known<T> =
  | { readonly state: 'known'; readonly value: T }
  | { readonly state: 'absent'; readonly why?: string }
  | { readonly state: 'unknown'; readonly why: string };

/** What an upstream reference points to now. Times are RFC 3339. */
export interface Upstream {
  readonly digest: Digest;
  readonly platforms: Readonly<Partial<Record<Platform, Digest>>>;
  readonly created?: string;
  /** When ingot first saw the digest. */
  readonly firstSeenAt?: string;
  readonly detectedAt?: string;
  readonly changedAt?: string;
  readonly detectedBy?: 'watch' | 'webhook';
  /** When upstream made each platform. */
  readonly platformsCreated?: Readonly<Partial<Record<Platform, string>>>;
  /** The tag that a tracked upstream resolves to now. */
  readonly tag?: string;
  /** A tag beyond the range that is tracked. */
  readonly newer?: string;
}

export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly why: string; readonly remedy: string };

/** What people decided about an image that a plan must mind. */
export interface StandingFacts {
  readonly paused?: { readonly by: string; readonly at: string; readonly why: string; readonly until?: string };
  readonly quarantined: readonly {
    readonly digest: Digest;
    readonly inputs?: Digest;
    readonly version?: string;
    readonly why: string;
  }[];
  /** All that was decided, oldest first. */
  readonly marks?: readonly Mark[];
}

/** Everything that a plan is computed from. What is optional and absent was not asked about, and decides nothing. */
export interface FleetFacts {
  /** RFC 3339, UTC. Absent: nothing that depends on time is decided. */
  readonly now?: string;
  readonly rebuild?: RebuildSettings;
  readonly freezes?: readonly Freeze[];
  /** Parents before children. */
  readonly images: readonly Image[];
  /** By full reference. */
  readonly upstreams: ReadonlyMap<string, Known<Upstream>>;
  /** By image name; absent means never released. */
  readonly releases: ReadonlyMap<string, Known<Release>>;
  /** Platforms that were asked about; a platform not asked about counts as ready. */
  readonly builders: ReadonlyMap<Platform, Readiness>;
  /** Images with a run under way, or ended in this cycle, and how. */
  readonly runs: ReadonlyMap<string, 'running' | Outcome>;
  /** Who asked for a rebuild and when, by image. */
  readonly requested?: ReadonlyMap<string, { readonly by: string; readonly at: string }>;
  /** What the archives offer for the release in use, by image. */
  readonly packages?: ReadonlyMap<string, Known<readonly OfferedUpdate[]>>;
  /** Findings on the release in use that those updates fix, by image. */
  readonly fixable?: ReadonlyMap<string, readonly FixableFinding[]>;
  /** What the registry lacks of the release in use, by image. */
  readonly damage?: ReadonlyMap<string, readonly string[]>;
  /** What people decided, by image. */
  readonly standing?: ReadonlyMap<string, StandingFacts>;
  /** The last runs, newest first, by image. */
  readonly history?: ReadonlyMap<string, readonly Run[]>;
  /** What a verdict depends on besides the candidate (database, policy, waivers, day), by image. */
  readonly verdictBasis?: ReadonlyMap<string, string>;
  /** Of the folder that builds write to. */
  readonly disk?: DiskRoom;
}
