import type { FreshnessSample } from '../domain/freshness.ts';

/**
 * When changes outside the fleet got how far. What is known once is never overwritten: processes that look at the same
 * time, or again after a kill, agree. Kept for thirteen months, up to a number; losing it loses history only.
 */
export interface FreshnessStore {
  /** Adds what is new in it to what is known of the sample. */
  note(sample: FreshnessSample): Promise<void>;
  /** Upstream took the change back. */
  drop(id: string): Promise<void>;
  /** Not released yet. */
  open(): Promise<readonly FreshnessSample[]>;
  /** Newest change first. @param filter `since`: changed at or after, RFC 3339; `limit`: default 5,000 */
  samples(filter?: {
    readonly image?: string | undefined;
    readonly since?: string | undefined;
    readonly limit?: number | undefined;
  }): Promise<readonly FreshnessSample[]>;
  /** Released, with a pull request that nobody is known to have merged or closed. */
  proposed(): Promise<readonly FreshnessSample[]>;
  close(): Promise<void>;
}
