import type { Platform } from '../platform.ts';
import type { DiskRoom } from '../staleness.ts';
import type { Time } from './views.ts';

export const ROLES = ['build', 'release', 'propose'] as const;
export type Role = (typeof ROLES)[number];

/** A process that takes work, as it says itself every few seconds. */
export interface WorkerView {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** `scheduler` for one that plans. */
  readonly roles: readonly (Role | 'scheduler')[];
  readonly platforms: readonly { readonly platform: Platform; readonly how: 'native' | 'emulated' }[];
  readonly concurrency: number;
  readonly startedAt: Time;
  readonly seenAt: Time;
  /** It takes nothing more and finishes what it has. */
  readonly stopping: boolean;
  /** It takes no builds while the disk that it writes to has so little room. */
  readonly lowDisk?: DiskRoom | undefined;
  readonly jobs: readonly {
    readonly run: string;
    readonly image: string;
    readonly role: Role;
    readonly platform?: Platform;
    readonly startedAt: Time;
  }[];
}

export interface QueueView {
  readonly name: string;
  readonly role: Role | 'scheduler';
  readonly platform?: Platform;
  readonly waiting: number;
  readonly delayed: number;
  readonly running: number;
  /** Running, and its worker has not been heard of for longer than its lock lasts. */
  readonly stalled: number;
  /** Release jobs whose platforms are not there yet. */
  readonly blocked: number;
  /** In the last day. */
  readonly failed: number;
  readonly workers: number;
  /** Since when the oldest waits. */
  readonly oldest?: Time;
}

export interface ScheduleView {
  readonly name: string;
  readonly what: string;
  /** A cron expression with its time zone, or seconds. */
  readonly cron?: string;
  readonly timezone?: string;
  readonly everySeconds?: number;
  /** The next times. */
  readonly next: readonly Time[];
}

/** What one outside host allows, and what waits for it. */
export interface BudgetView {
  readonly host: string;
  readonly kind: 'registry' | 'forge';
  /** `anonymous`, or a short hash of the account's name: hosts count them apart. */
  readonly identity: string;
  readonly limit?: number;
  readonly remaining?: number;
  readonly windowSeconds?: number;
  /** Nothing is sent before. */
  readonly pausedUntil?: Time;
  readonly why?: string;
  /** Requests that wait now, in all processes. */
  readonly waiting: number;
  readonly spentToday: number;
  readonly seenAt?: Time;
}
