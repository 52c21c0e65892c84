import type { Digest } from '../digest.ts';
import type { Platform } from '../platform.ts';
import type { Reference } from '../reference.ts';
import type { PinPolicy } from './policy.ts';

/** A kind of file that can hold pins. All of it is pure: bytes in, bytes out. */
export interface PinFormat {
  readonly id: string;
  /** Whether a file of this path, with slashes, is worth reading. */
  isPath(path: string): boolean;
  /** The places that name one of the repositories. */
  findPins(content: Uint8Array, repositories: Wanted): readonly Pin[];
  /** Moves every pin of one image. Everything but the pins keeps its bytes. */
  bump(content: Uint8Array, change: ImageChange): Bump;
}

/** Full names (`ghcr.io/acme/golden/debian`), or a test of them. */
export type Wanted = readonly string[] | ((repository: string) => boolean);

/** A place that names a golden image. Lines and columns count from 1. */
export interface Pin {
  readonly line: number;
  readonly column: number;
  /** As it stands in the file, variables and all. */
  readonly written: string;
  /** What it comes to. */
  readonly reference: Reference;
}

/** What a golden image's pins move to. */
export interface ImageChange {
  /** Full name without tag: `ghcr.io/acme/golden/debian`. */
  readonly repository: string;
  /** `12` or `3.11`: pins on another line are left alone. */
  readonly line: string;
  readonly version: string;
  readonly digest: Digest;
  /** Digests of the release's platforms, for pins that name one of a platform. */
  readonly platforms?: Readonly<Partial<Record<Platform, Digest>>>;
  /** Moving tags besides those of the line: `stable`, `edge`. */
  readonly channels?: readonly string[];
  /** Channels that are not at this release: no pin on one of them is told otherwise. */
  readonly elsewhere?: readonly string[];
  /**
   * What is known of the digests that pins name. Given, a pin by a digest that is not in it is left alone;
   * absent, every digest counts as an older one of the line.
   */
  readonly known?: ReadonlyMap<Digest, KnownDigest>;
  /** Pins move to an older version as well, whatever they name. */
  readonly back?: boolean;
  /** Releases that no pin may stay on: pins on them move, to an older version if need be. */
  readonly quarantined?: readonly { readonly digest: Digest; readonly version?: string }[];
  /** Other releases that are to be had, for pins whose policy does not let them go to `version`. */
  readonly releases?: readonly ReleaseChoice[];
  /** What the repository wants, for this file. Comments beside a pin stand over it. */
  readonly policy?: Partial<PinPolicy>;
  /** Lines whose life is over. */
  readonly ended?: readonly EndedLine[];
  /** Upstreams that the image takes the place of. Pins on them are offered the image when the policy says so. */
  readonly adopts?: readonly AdoptedUpstream[];
}

/** What a pin may be moved to. */
export interface ReleaseChoice {
  readonly version: string;
  readonly digest: Digest;
  readonly platforms?: Readonly<Partial<Record<Platform, Digest>>>;
}

/** A line that is not rebuilt any more. */
export interface EndedLine {
  readonly line: string;
  /** Last day, `YYYY-MM-DD`. */
  readonly date: string;
  readonly successor?: string;
  readonly why?: string;
}

/** `docker.io/library/debian`, and the tag that the image is built from. */
export interface AdoptedUpstream {
  readonly repository: string;
  readonly tag?: string;
}

export interface KnownDigest {
  readonly version: string;
  /** Set when it is the manifest of one platform, not the index. */
  readonly platform?: Platform;
}

/** The part of a reference that a bump may change. */
export interface PinVersion {
  readonly tag?: string;
  readonly digest?: Digest;
}

export interface Bump {
  readonly content: Uint8Array;
  /** What moved, each place once; lines count from 1. */
  readonly pins: readonly BumpedPin[];
  /** What names the release already. */
  readonly current: readonly { readonly line: number; readonly written: string }[];
  /** What names the image and was left alone, and why. */
  readonly left: readonly LeftPin[];
}

export interface BumpedPin {
  readonly line: number;
  readonly from: PinVersion;
  readonly to: PinVersion;
  /** What is special about it, in a sentence. */
  readonly note?: string;
}

export type LeaveReason =
  | 'floating'
  | 'other-line'
  | 'ahead'
  | 'unknown-tag'
  | 'elsewhere'
  | 'unknown-digest'
  | 'unsafe'
  | 'not-text'
  /** A person said so. */
  | 'held'
  /** The policy of the pin allows no release that is newer. */
  | 'outside-policy'
  /** It is on a quarantined release, and may go nowhere else. */
  | 'quarantined'
  /** Its line ended, and nothing newer comes of it. */
  | 'end-of-life'
  /** An upstream that a golden image takes the place of. */
  | 'adoptable'
  /** What is written beside it is not understood. */
  | 'mistake';

export interface LeftPin {
  readonly line: number;
  readonly written: string;
  readonly reason: LeaveReason;
  /** For a person: what it is, and what to do to have it moved. */
  readonly message: string;
}
