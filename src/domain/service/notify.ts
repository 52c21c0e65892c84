import type { NotifyChannel } from '../fleet/settings-notify.ts';
import type { Time } from './views.ts';

export interface ChannelCounts {
  readonly sent: number;
  /** Given up. */
  readonly failed: number;
  readonly lastSentAt?: Time;
  readonly lastFailedAt?: Time;
  readonly lastError?: string;
}

/** One channel of notifications, and how it does. */
export interface NotifyChannelView extends ChannelCounts {
  readonly name: string;
  readonly kind: NotifyChannel['kind'];
  readonly waiting: number;
  /** When the first that waits is tried again. */
  readonly nextTryAt?: Time;
  /** Of the last try. */
  readonly error?: string;
}
