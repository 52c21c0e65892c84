import type { Digest } from '../domain/digest.ts';
import type { PlanDeps } from '../flows/gather.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ServiceStore } from '../ledger/store.ts';
import type { RunQueue } from '../queue/run-queue.ts';

/** The factory for the definitions in use, as a planner needs it. */
export interface PlannedFactory {
  readonly definitions: Digest;
  readonly plan: PlanDeps;
  readonly ledger: Ledger;
  /** Whether anything follows a release: channels in stages, replicas. */
  readonly follows: boolean;
  readonly proposes: boolean;
}

export interface PlannerDeps {
  readonly store: ServiceStore;
  readonly runs: RunQueue;
  readonly now: () => Date;
  readonly newRunId: () => string;
}
