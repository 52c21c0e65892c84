import type { Decision, Message, Seen } from '../domain/notifications.ts';
import type { ChannelCounts } from '../domain/service/notify.ts';

/** A message that waits for its channel. */
export interface Pending {
  readonly message: Message;
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly nextAt: number;
  readonly error?: string;
}

/** What is remembered so that nobody is told twice. Losing it tells once more what is still so. */
export interface NotifyStore {
  seen(): Promise<ReadonlyMap<string, Seen>>;
  /** What was decided is remembered and its messages wait: all of it or nothing. A message that waits is left as it is. */
  decide(decision: Decision, now: number): Promise<void>;
  /** Oldest first. */
  pending(): Promise<readonly Pending[]>;
  /** Tries again later. */
  failed(pending: Pending): Promise<void>;
  sent(message: Message, at: string): Promise<void>;
  /** Given up. */
  dropped(message: Message, why: string, at: string): Promise<void>;
  counts(): Promise<ReadonlyMap<string, ChannelCounts>>;
  /** One process at a time. @returns how to let go, `undefined` when another has it */
  lock(what: string, forMs: number): Promise<(() => Promise<void>) | undefined>;
  close(): Promise<void>;
}
