import type { HookDialect, HookOutcome } from '../domain/hooks.ts';

/** What processes that take webhooks remember together. Losing it costs counts, and a check more. */
export interface HookStore {
  /**
   * Opens a window for something that is hinted at; while one is open it stays as it is.
   * @returns `undefined` when it was opened by this call, else the mark that opened it
   */
  open(subject: string, mark: string, windowMs: number): Promise<string | undefined>;
  /** True for the first who asks during a window: there is to be one more check, when it ends. */
  again(subject: string, windowMs: number): Promise<boolean>;
  count(dialect: HookDialect, outcome: HookOutcome, at: string): Promise<void>;
  /** A repository that no image uses. The most frequent ones are kept. */
  unknown(dialect: HookDialect, repository: string): Promise<void>;
  counts(): Promise<ReadonlyMap<HookDialect, HookCounts>>;
  close(): Promise<void>;
}

export interface HookCounts {
  readonly counts: Readonly<Partial<Record<HookOutcome, number>>>;
  readonly lastAt?: string;
  readonly unknown: readonly { readonly name: string; readonly count: number }[];
}
