import type { Origin } from './compare-link.ts';
import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';
import type { Finding, Package } from './verdict.ts';

/** What is in one platform of a release. */
export interface PlatformContent {
  /** Compressed bytes. */
  readonly size: number;
  readonly packages: readonly Package[];
  readonly findings: readonly Finding[];
}

export type ImageContent = Readonly<Partial<Record<Platform, PlatformContent>>>;

/** A release that pins name, or shall name. */
export interface PinnedRelease {
  readonly version?: string;
  readonly digest?: Digest;
  /** Where it is defined. */
  readonly origin?: Origin | undefined;
  /** Absent: not to be had any more. */
  readonly content?: ImageContent;
}
