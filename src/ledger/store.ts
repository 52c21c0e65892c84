import type { Digest } from '../domain/digest.ts';
import type { Mistake } from '../domain/errors.ts';
import type { ImageDiff } from '../domain/image-diff.ts';
import type { Inputs } from '../domain/inputs.ts';
import type { PlanEntry } from '../domain/plan.ts';
import type { Platform } from '../domain/platform.ts';
import type { ServiceEvent } from '../domain/service/events.ts';
import type { ReleaseFigures } from '../domain/service/history.ts';
import type { Priority, Time } from '../domain/service/views.ts';
import type { WorkerView } from '../domain/service/workers.ts';
import type { Reason } from '../domain/staleness.ts';
import type { Standing } from '../domain/standing.ts';

/** A rebuild that somebody asked for; kept until its run has ended. One an image. */
export interface Request {
  readonly runId: string;
  readonly image: string;
  readonly by: string;
  readonly reason?: string;
  readonly priority: Priority;
  readonly at: Time;
}

/** A run that was handed to the queues and has not ended: all that it takes to hand it over again. One an image. */
export interface ActiveRun {
  readonly runId: string;
  readonly image: string;
  readonly inputs: Inputs;
  readonly reasons: readonly Reason[];
  readonly priority: Priority;
  readonly definitions: Digest;
  readonly startedAt: Time;
}

export interface Cancellation {
  readonly by: string;
  readonly reason?: string;
  readonly at: Time;
}

/** Which definitions are in use, for workers that know nothing but Redis. */
export interface DefinitionsPointer {
  readonly fleet: string;
  readonly source: string;
  readonly commit?: string;
  readonly digest: Digest;
  /** `host[:port]/path` below which releases, and the definitions, live. */
  readonly base: string;
  readonly images: number;
  readonly platforms: readonly Platform[];
  readonly loadedAt: Time;
  readonly checkedAt: Time;
  readonly refused?: {
    readonly at: Time;
    readonly commit?: string;
    readonly message: string;
    readonly mistakes: readonly Mistake[];
  };
}

export interface StoredPlan {
  readonly at: Time;
  readonly definitions: Digest;
  readonly entries: readonly PlanEntry[];
  /** By image; a pause of the whole fleet is one of each. */
  readonly standing: Readonly<Record<string, Standing>>;
  /** Upstreams that could not be asked, and why. */
  readonly unasked: Readonly<Record<string, string>>;
}

export interface StoredHistory {
  /** Newest first, capped. */
  readonly releases: readonly ReleaseFigures[];
  readonly readAt: Time;
}

type WithoutStamp<T> = T extends unknown ? Omit<T, 'id' | 'at'> : never;
/** What is told; its place in the order is given by who keeps it. */
export type EventToTell = WithoutStamp<ServiceEvent>;

/**
 * What the processes of one factory tell each other. Losing it loses requests and history: what is to be done is found
 * again in the registry (promise 4).
 */
export interface ServiceStore {
  /** @returns the request that waits for the image: this one, or one that was there before */
  request(request: Request): Promise<Request>;
  requests(): Promise<readonly Request[]>;
  /** Also of one that has ended: by the id of its run. */
  requestOf(runId: string): Promise<Request | undefined>;

  /** False when the image has a run that has not ended. */
  claim(run: ActiveRun): Promise<boolean>;
  active(): Promise<readonly ActiveRun[]>;
  /** The run is over: image and request are free again. */
  ended(image: string, runId: string): Promise<void>;

  /** @returns the first, when several cancel */
  cancel(runId: string, cancellation: Cancellation): Promise<Cancellation>;
  cancelled(runIds: readonly string[]): Promise<ReadonlyMap<string, Cancellation>>;

  /** Images and upstreams (`changeOfUpstream`) of which something may have changed, or `*`: what a planner asks anew. */
  changed(images: readonly string[]): Promise<void>;
  /** What changed after that place; `undefined` when too much did to tell. */
  changesAfter(place: string): Promise<{ readonly place: string; readonly images: readonly string[] } | undefined>;
  /** The place of now. */
  place(): Promise<string>;

  putPlan(plan: StoredPlan): Promise<void>;
  plan(): Promise<StoredPlan | undefined>;

  tell(event: EventToTell): Promise<void>;
  /** What was told after an event; absent: nothing of the past, and the place of now. */
  events(
    after: string | undefined,
    limit: number,
  ): Promise<{ readonly last: string; readonly events: readonly ServiceEvent[] }>;

  putDefinitions(pointer: DefinitionsPointer): Promise<void>;
  definitions(): Promise<DefinitionsPointer | undefined>;

  /** Since when definitions are in no use any more, by the names of their tags: see `LeftSince`. */
  leftSince(there: readonly string[], used: readonly string[]): Promise<ReadonlyMap<string, number>>;

  /** Says that a worker is there; it is forgotten after a while of silence. */
  beat(worker: WorkerView): Promise<void>;
  workers(): Promise<readonly WorkerView[]>;
  gone(workerId: string): Promise<void>;
  /** When a worker was last there that builds a platform natively. */
  lastNative(platform: Platform): Promise<Time | undefined>;

  /** A job of a queue failed for good. */
  failed(queue: string): Promise<void>;
  /** How many did in the last day, by queue. */
  failures(): Promise<ReadonlyMap<string, number>>;

  /** What was in the releases of an image, and when they were last compared with the registry. */
  putHistory(image: string, history: StoredHistory): Promise<void>;
  history(image: string): Promise<StoredHistory | undefined>;
  /** A difference of two digests, for a day. @throws FactoryError `usage` when it is larger than any page should be */
  putDiff(key: string, diff: ImageDiff): Promise<void>;
  diff(key: string): Promise<ImageDiff | undefined>;

  /** Keeps the first answer under a key for a day. @returns what is kept, and for which question */
  once(
    key: string,
    kept: { readonly question: string; readonly answer: string },
  ): Promise<{
    readonly question: string;
    readonly answer: string;
  }>;
  kept(key: string): Promise<{ readonly question: string; readonly answer: string } | undefined>;

  close(): Promise<void>;
}
