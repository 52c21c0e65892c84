import type { Digest } from '../domain/digest.ts';
import type { Platform } from '../domain/platform.ts';
import type { Priority } from '../domain/service/views.ts';
import type { QueueView } from '../domain/service/workers.ts';
import type { RunRequest } from './dispatcher.ts';

/** A run with what the queues need besides. */
export interface QueuedRun extends RunRequest {
  readonly priority: Priority;
  readonly definitions: Digest;
}

/** A schedule as it is fired, once however many processes are there. */
export type Schedule = { readonly name: string } & (
  | { readonly everySeconds: number }
  | { readonly cron: string; readonly timezone: string }
);

/** The queues, as those see them who plan. Whoever calls twice asks once. */
export interface RunQueue {
  /** Harmless for a run that is there. */
  start(run: QueuedRun): Promise<void>;
  /** Whether its release job is there, in any state. */
  has(run: QueuedRun): Promise<boolean>;
  /** Takes out what has not begun. @returns whether nothing is left of it */
  remove(run: QueuedRun): Promise<boolean>;
  /** @param delayMs for one that waits for a time alone; another that is asked for meanwhile is not put off */
  propose(
    image: string,
    definitions: Digest,
    options?: { readonly delayMs?: number; readonly urgent?: boolean },
  ): Promise<void>;
  /** One look after now, also when one is under way. */
  look(options?: { readonly delayMs?: number }): Promise<void>;
  /** What follows releases, once after now. */
  follow(): Promise<void>;
  /** These schedules and no others. */
  setSchedules(schedules: readonly Schedule[]): Promise<void>;
  nextTimes(): Promise<ReadonlyMap<string, string>>;
  /** Those that jobs which have not ended are made from. */
  definitions(): Promise<readonly Digest[]>;
  counts(platforms: readonly Platform[]): Promise<readonly Omit<QueueView, 'workers'>[]>;
  close(): Promise<void>;
}
