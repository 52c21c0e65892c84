import type { Hints, HookDialect, HookOutcome, HookSettings } from '../domain/hooks.ts';

/** What a hook led to; names of upstreams, or of repositories that nobody here uses. */
export interface Received {
  readonly accepted: readonly string[];
  /** A check for the same thing was just asked for. */
  readonly coalesced: readonly string[];
  readonly unknown: readonly string[];
}

/** Takes what webhooks say. A hint is never believed: it only makes the registry be asked now, not later. */
export interface HookReceiver {
  /** What ingot.yaml says about a sender, `undefined` when it says nothing. */
  settings(dialect: HookDialect): Promise<HookSettings | undefined>;
  receive(dialect: HookDialect, hints: Hints): Promise<Received>;
  count(dialect: HookDialect, outcome: HookOutcome): Promise<void>;
}
