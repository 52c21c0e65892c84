import { type CommonCode, FactoryError } from '../domain/errors.ts';
import type { Message } from '../domain/notifications.ts';

export type NotifyErrorCode =
  | CommonCode
  /** The other side does not take it, now or later. */
  | 'refused'
  /** `details.retryAfterMs` says how long to wait. */
  | 'rate-limited'
  | 'unavailable';

export class NotifyError extends FactoryError<NotifyErrorCode> {}

/** One way to tell people something. */
export interface Notifier {
  /**
   * Whoever gets the same `message.id` twice was told once: it is sent again when nobody noted that it was.
   * @returns what the other side answered, for people
   * @throws NotifyError
   */
  send(message: Message, options: { readonly signal: AbortSignal }): Promise<string>;
}
