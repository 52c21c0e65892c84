import type { Fleet } from '../domain/fleet/model.ts';
import type { Places } from '../domain/places.ts';
import type { BudgetView } from '../domain/service/workers.ts';
import type { DiffDeps } from '../flows/diff.ts';
import type { PlanDeps } from '../flows/gather.ts';
import type { ForgeRepository } from '../forge/forge.ts';
import type { FreshnessStore } from '../ledger/freshness.ts';
import type { HookStore } from '../ledger/hooks.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { NotifyStore } from '../ledger/notifications.ts';
import type { ServiceStore } from '../ledger/store.ts';
import type { ProposeEnd } from '../queue/dispatcher.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import type { Registry } from '../registry/registry.ts';
import type { Cataloguer, Scanner } from '../scanner/scanner.ts';
import type { Attestor } from '../signer/signer.ts';
import { ServiceError } from './service.ts';

/** The factory for the definitions in use, as questions and decisions of people need it. */
export interface FactoryParts {
  readonly fleet: Fleet;
  readonly places: Places;
  readonly registry: Registry;
  readonly ledger: Ledger;
  readonly attestor: Attestor;
  readonly cataloguer: Cataloguer;
  readonly scanner: Scanner;
  readonly packages: Pick<DiffDeps, 'stateOf'>;
  readonly downstreams: { list(signal?: AbortSignal): Promise<readonly ForgeRepository[]> };
  readonly cycle: PlanDeps;
  propose(image: string, signal: AbortSignal): Promise<ProposeEnd>;
}

export interface ServiceParts {
  readonly store: ServiceStore;
  readonly runs: RunQueue;
  readonly ledger: Ledger;
  readonly freshness: FreshnessStore;
  readonly hooks: HookStore;
  readonly notifications: NotifyStore;
  /** @throws ServiceError `unavailable` when no definitions are known yet */
  withFactory<T>(use: (factory: FactoryParts) => Promise<T>): Promise<T>;
  /** Reads definitions again, in the process that reads them. */
  reload(): Promise<void>;
  budgets(): Promise<readonly BudgetView[]>;
  /** The next times of a cron expression. */
  nextTimes(cron: string, timezone: string, count: number): readonly string[];
  readonly newRunId: () => string;
  readonly now: () => Date;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export function notFound(message: string): ServiceError {
  return new ServiceError(message, { code: 'not-found' });
}

export function conflict(message: string): ServiceError {
  return new ServiceError(message, { code: 'conflict' });
}

/** Of all platforms that any image has. */
export function platformsOf({ images }: Fleet) {
  return [...new Set(images.flatMap(({ platforms }) => platforms))];
}
