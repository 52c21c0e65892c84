import type { Digest } from '../digest.ts';
import type { Outcome } from '../run.ts';
import type { Time } from './views.ts';

/** What happened, in the order in which it did. Kept for the last 10,000. */
export type ServiceEvent = {
  /** Ordered; `subscribe({ after })` goes on behind it. */
  readonly id: string;
  readonly at: Time;
} & (
  | { readonly type: 'run.requested' | 'run.started'; readonly run: string; readonly image: string }
  | {
      readonly type: 'run.step';
      readonly run: string;
      readonly image?: string;
      readonly step: string;
      readonly platform?: string;
      readonly state: string;
      readonly error?: string;
    }
  | {
      readonly type: 'run.ended';
      readonly run: string;
      readonly image: string;
      readonly outcome: Outcome;
      readonly summary: string;
      readonly version?: string;
      readonly digest?: Digest;
    }
  | { readonly type: 'image.changed'; readonly image: string; readonly what: string; readonly by: string }
  | { readonly type: 'fleet.loaded' | 'fleet.refused'; readonly commit?: string; readonly message: string }
  | { readonly type: 'plan.made'; readonly rebuilding: number; readonly waiting: number }
);
