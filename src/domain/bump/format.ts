import type { Digest } from '../digest.ts';
import type { Platform } from '../platform.ts';
import type { Reference } from '../reference.ts';

/** A kind of file that can hold pins. All of it is pure: bytes in, bytes out. */
export interface PinFormat {
  readonly id: string;
  /** Whether a file of this path, with slashes, is worth reading. */
  isPath(path: string): boolean;
  /** The places that name one of the repositories (full names: `ghcr.io/acme/golden/debian`). */
  findPins(content: Uint8Array, repositories: readonly string[]): readonly Pin[];
  /** Moves every pin of one image. Everything but the pins keeps its bytes. */
  bump(content: Uint8Array, change: ImageChange): Bump;
}

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
  readonly pins: readonly { readonly line: number; readonly from: PinVersion; readonly to: PinVersion }[];
  /** What names the release already. */
  readonly current: readonly { readonly line: number; readonly written: string }[];
  /** What names the image and was left alone, and why. */
  readonly left: readonly LeftPin[];
}

export type LeaveReason =
  | 'floating'
  | 'other-line'
  | 'ahead'
  | 'unknown-tag'
  | 'elsewhere'
  | 'unknown-digest'
  | 'unsafe'
  | 'not-text';

export interface LeftPin {
  readonly line: number;
  readonly written: string;
  readonly reason: LeaveReason;
  /** For a person: what it is, and what to do to have it moved. */
  readonly message: string;
}
