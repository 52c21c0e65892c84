import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** Why an image is rebuilt (product.md, Staleness). In the order in which they name a run. */
export type Reason =
  | { readonly kind: 'never-released' }
  | { readonly kind: 'requested'; readonly by: string }
  | {
      readonly kind: 'base-changed' | 'input-changed';
      readonly name: string;
      readonly from?: Digest;
      readonly to: Digest;
      readonly created?: string;
      readonly version?: string;
    }
  | { readonly kind: 'definition-changed'; readonly parts: readonly string[] }
  | { readonly kind: 'recipe-changed'; readonly from: string; readonly to: string };

/** Why a stale image is not rebuilt now. */
export type Hold =
  | { readonly kind: 'waiting-for-parent'; readonly parent: string; readonly why: string }
  | { readonly kind: 'waiting-for-platform'; readonly name: string; readonly platforms: readonly Platform[] }
  | { readonly kind: 'no-builder'; readonly platform: Platform; readonly why: string; readonly remedy: string };
