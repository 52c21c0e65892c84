import { type CommonCode, FactoryError } from '../domain/errors.ts';
import type { Image } from '../domain/fleet/model.ts';
import type { HookView } from '../domain/hooks.ts';
import type { PlanState } from '../domain/plan.ts';
import type { ServiceEvent } from '../domain/service/events.ts';
import type { DiffView, HistoryView } from '../domain/service/history.ts';
import type { NotifyChannelView } from '../domain/service/notify.ts';
import type {
  Change,
  FleetState,
  FreshnessView,
  ImageView,
  LogTail,
  Page,
  Paging,
  PlanView,
  PullView,
  QuarantineView,
  RebuildAnswer,
  RebuildRequest,
  ReleaseView,
  RollbackView,
  RunFilter,
  RunView,
  Time,
  UpstreamView,
} from '../domain/service/views.ts';
import type { BudgetView, QueueView, ScheduleView, WorkerView } from '../domain/service/workers.ts';

export type ServiceErrorCode =
  | CommonCode
  /** No such image, run, version, upstream. */
  | 'not-found'
  /** It cannot be done in the state that things are in: the message says which. */
  | 'conflict'
  /** Redis, registry or forge does not answer, or no fleet has been read yet. */
  | 'unavailable';

/** What `FactoryService` throws by itself. Errors of ports (RegistryError, …) pass through with codes of their own. */
export class ServiceError extends FactoryError<ServiceErrorCode> {}

export interface Subscription {
  readonly run?: string | undefined;
  readonly image?: string | undefined;
  /** `id` of the last event that was seen; absent: only what comes from now on. */
  readonly after?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * What an organisation asks of a factory that keeps running: by the REST API, the dashboard, a command. Every process
 * on the same Redis and registry gives the same answers; who asked and may ask is decided by the caller.
 *
 * @throws ServiceError, and errors of ports
 */
export interface FactoryService {
  fleet(): Promise<FleetState>;
  /** Reads the definitions again now. A broken commit shows in `refused` of the answer. */
  reloadFleet(change: Change): Promise<FleetState>;

  images(filter?: { readonly state?: PlanState | undefined }): Promise<readonly ImageView[]>;
  /** @throws ServiceError `not-found` */
  image(name: string): Promise<ImageView>;
  /** Newest first. */
  releases(image: string, paging?: Paging): Promise<Page<ReleaseView & { readonly quarantined: boolean }>>;

  /** Releases with their figures, as far as they were read; answers at once, and reads on behind the caller's back. */
  history(image: string): Promise<HistoryView>;
  /**
   * What two releases of an image differ in. Made in the background: ask again while it is `running`.
   * @throws ServiceError `not-found`; `unavailable` when too many are being made
   */
  diff(image: string, pair: { readonly before: string; readonly after: string }): Promise<DiffView>;

  /** Newest first. */
  runs(filter?: RunFilter): Promise<Page<RunView>>;
  /** @throws ServiceError `not-found` */
  run(id: string): Promise<RunView>;
  /** Answers when the run has ended, or after that time as it is then. */
  waitForRun(id: string, options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<RunView>;
  startRebuild(request: RebuildRequest): Promise<RebuildAnswer>;
  /** Ends it wherever it is, within seconds. @throws ServiceError `conflict` when it has ended */
  cancelRun(id: string, change: Change): Promise<RunView>;
  /** A new run of the same image. @throws ServiceError `conflict` while it has not ended */
  retryRun(id: string, change: Change): Promise<RunView>;
  runLogs(id: string, options?: { readonly platform?: string | undefined }): Promise<readonly LogTail[]>;

  /** The last plan; `fresh`: made anew, nothing is started. */
  plan(options?: {
    readonly fresh?: boolean | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<PlanView>;
  /** Look at everything now; answers at once. */
  look(change: Change): Promise<void>;

  upstreams(): Promise<readonly UpstreamView[]>;
  /** Of all downstreams, open ones first. `unknown`: repositories that could not be asked. */
  pulls(): Promise<{
    readonly pulls: readonly PullView[];
    readonly unknown: readonly { readonly repository: string; readonly why: string }[];
  }>;

  rollback(image: string, change: Change & { readonly to?: string | undefined }): Promise<RollbackView>;
  quarantine(image: string, what: string, change: Change): Promise<QuarantineView>;
  unquarantine(image: string, what: string, change: Change): Promise<QuarantineView>;
  /** @param image absent: the whole fleet. `until`: RFC 3339, or `4h`, `2d` */
  pause(image: string | undefined, change: Change & { readonly until?: string | undefined }): Promise<void>;
  /** @returns whether it was paused */
  resume(image: string | undefined, change: Change): Promise<boolean>;
  /** What policies may be passed over for, until when, and why: from the definitions. */
  waivers(): Promise<readonly { readonly image: string; readonly waiver: Image['waivers'][number] }[]>;

  /** @param filter `since`: changed outside at or after, default 90 days ago; `open`: only what is not released yet */
  freshness(filter?: {
    readonly image?: string | undefined;
    readonly since?: Time | undefined;
    readonly open?: boolean | undefined;
  }): Promise<FreshnessView>;
  workers(): Promise<readonly WorkerView[]>;
  queues(): Promise<readonly QueueView[]>;
  schedules(): Promise<readonly ScheduleView[]>;
  budgets(): Promise<readonly BudgetView[]>;
  /** Webhooks that came in, by sender: all that are set up, and those that were once. */
  hooks(): Promise<readonly HookView[]>;
  /** Channels that people are told through, and how they do. */
  notifications(): Promise<readonly NotifyChannelView[]>;

  /** Ends with the signal, or with the caller's `break`. */
  subscribe(subscription: Subscription): AsyncIterable<ServiceEvent>;
}
