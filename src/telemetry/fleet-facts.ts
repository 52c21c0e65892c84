import type { Severity } from '../domain/fleet/model.ts';
import { secondsBetween } from '../domain/freshness.ts';
import type { HookView } from '../domain/hooks.ts';
import type { PlanEntry } from '../domain/plan.ts';
import type { NotifyChannelView } from '../domain/service/notify.ts';
import type { FleetState, FreshnessView, PlanView, UpstreamView } from '../domain/service/views.ts';
import type { BudgetView, QueueView, WorkerView } from '../domain/service/workers.ts';
import type { FactoryService } from '../service/service.ts';

/** All that is told of the whole fleet, as it was at one moment. */
export interface FleetFacts {
  readonly fleet: FleetState;
  /** The last that was made; absent: none in a day. */
  readonly plan: PlanView | undefined;
  readonly queues: readonly QueueView[];
  readonly workers: readonly WorkerView[];
  readonly budgets: readonly BudgetView[];
  readonly upstreams: readonly UpstreamView[];
  readonly freshness: FreshnessView;
  readonly hooks: readonly HookView[];
  readonly channels: readonly NotifyChannelView[];
}

/** Who knows it. `FactoryService.plan` would make a plan where none is kept, and ask every upstream for it. */
export interface FleetSources {
  readonly service: FactoryService;
  readonly lastPlan: () => Promise<PlanView | undefined>;
}

/** The questions that a page for people asks, too. @throws ServiceError `unavailable` */
export async function readFleetFacts({ service, lastPlan }: FleetSources): Promise<FleetFacts> {
  const [fleet, plan, queues, workers, budgets, upstreams, freshness, hooks, channels] = await Promise.all([
    service.fleet(),
    lastPlan(),
    service.queues(),
    service.workers(),
    service.budgets(),
    service.upstreams(),
    service.freshness(),
    service.hooks(),
    service.notifications(),
  ]);
  return { fleet, plan, queues, workers, budgets, upstreams, freshness, hooks, channels };
}

/** Seconds since the epoch, as Prometheus has times. */
export function timestamp(time: string): number {
  return Date.parse(time) / 1000;
}

/** How often in a row the image failed with the same inputs. */
export function failuresOf({ holds }: PlanEntry): number {
  return Math.max(0, ...holds.map((hold) => (hold.kind === 'backing-off' ? hold.failures : 0)));
}

/** How many vulnerabilities of the release in use the archive has a fix for, by severity. */
export function fixableOf({ reasons }: PlanEntry): ReadonlyMap<Severity, number> {
  const findings = reasons.flatMap((reason) => (reason.kind === 'vulnerability-fixable' ? reason.findings : []));
  return new Map([...Map.groupBy(findings, ({ severity }) => severity)].map(([name, { length }]) => [name, length]));
}

/**
 * Since when an upstream offers what the release in use does not have: when ingot saw it first; where that is not
 * known, when upstream made it.
 */
export function pendingSince({ reasons }: PlanEntry, upstreams: readonly UpstreamView[]): number | undefined {
  const times = reasons.flatMap((reason) => {
    if (reason.kind !== 'base-changed' && reason.kind !== 'input-changed') return [];
    const seen = upstreams.find(({ name, digest }) => name === reason.name && digest === reason.to)?.firstSeenAt;
    const time = seen ?? reason.created;
    return time === undefined ? [] : [timestamp(time)];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The newest release of each image whose time from its upstream's change is known. */
export function newestLags({ samples }: FreshnessView): ReadonlyMap<string, number> {
  const released = samples.filter(({ kind, outcome }) => kind === 'upstream' && outcome === 'released');
  const oldestFirst = released.toSorted((a, b) => Date.parse(a.releasedAt!) - Date.parse(b.releasedAt!));
  return new Map(
    oldestFirst.map(({ image, changedAt, releasedAt }) => [image, secondsBetween(changedAt, releasedAt!)]),
  );
}
