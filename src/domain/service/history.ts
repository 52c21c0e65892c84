import type { Digest } from '../digest.ts';
import type { Severity } from '../fleet/model.ts';
import type { ImageDiff } from '../image-diff.ts';
import type { Platform } from '../platform.ts';
import type { Time } from './views.ts';

/** One release, and what was in it when it was released. */
export interface ReleaseFigures {
  readonly version: string;
  readonly digest: Digest;
  readonly created?: Time;
  readonly platforms: Readonly<Partial<Record<Platform, PlatformFigures>>>;
}

export interface PlatformFigures {
  readonly digest: Digest;
  /** Compressed bytes of all layers. */
  readonly size: number;
  /** Absent: the release carries no list of them that can be read. */
  readonly packages?: number;
  /** As its own vulnerability report says. */
  readonly findings?: Readonly<Partial<Record<Severity, number>>>;
}

/** The releases of an image as far as they were read. */
export interface HistoryView {
  /** Newest first. */
  readonly releases: readonly ReleaseFigures[];
  /** When it was last compared with the registry; absent: never. */
  readonly readAt?: Time;
  /** More is being read right now. */
  readonly reading: boolean;
  /** Why the last attempt came to nothing. */
  readonly unknown?: string;
}

/** The difference of two releases: made once, in the background, and kept for a day. */
export type DiffView =
  | { readonly state: 'done'; readonly diff: ImageDiff }
  | { readonly state: 'running' }
  | { readonly state: 'failed'; readonly why: string };
