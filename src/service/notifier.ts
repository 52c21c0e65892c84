import type { Fleet } from '../domain/fleet/model.ts';
import type { NotifyChannel } from '../domain/fleet/settings-notify.ts';
import { decideNotifications, retryIn } from '../domain/notifications.ts';
import { findProblems, type ProblemFacts, type RunningBreach } from '../domain/problems.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { NotifyStore, Pending } from '../ledger/notifications.ts';
import type { DefinitionsPointer, ServiceStore } from '../ledger/store.ts';
import { type Notifier, NotifyError } from '../notify/notify.ts';

export interface NotifierDeps {
  readonly notifications: NotifyStore;
  readonly store: Pick<ServiceStore, 'plan' | 'definitions'>;
  readonly ledger: Pick<Ledger, 'runs'>;
  withFleet<T>(use: (fleet: Fleet) => Promise<T>): Promise<T>;
  /** Made anew for each round, so that a changed secret is used. */
  notifierOf(channel: NotifyChannel): Promise<Notifier>;
  /** Absent: not known. */
  readonly freshness?: (fleet: Fleet) => Promise<readonly RunningBreach[]>;
  /** Absent, or `undefined` as an answer: not known now. */
  readonly pulls?: () => Promise<ProblemFacts['pulls']>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onTrouble: (message: string) => void;
}

/** Tells people what they have to know, by looking at what is; any number of processes may do so. */
export interface NotifierRounds {
  /** Looks, decides, and begins to send; does not wait for channels. */
  round(): Promise<void>;
  /** Until nothing is being sent. */
  idle(): Promise<void>;
  /** What is being sent is given up for now. */
  stop(): Promise<void>;
}

/** A decision is a matter of milliseconds; one whose process died is made by the next. */
const DECIDING_MS = 30_000;
/** Longer than any one send may take; after that another process may send it, too, with the same id. */
const SENDING_MS = 60_000;
/** Runs that people or newer ones ended are among them. */
const RUNS_BESIDES = 7;

export function createNotifierRounds(deps: NotifierDeps): NotifierRounds {
  const stopping = new AbortController();
  const sending = new Map<string, Promise<void>>();
  const begin = (channel: NotifyChannel) => {
    if (sending.has(channel.name)) return;
    const work = sendAll(channel, deps, stopping.signal)
      .catch((error: Error) => deps.onTrouble(`notifications to ${channel.name}: ${error.message}`))
      .finally(() => sending.delete(channel.name));
    sending.set(channel.name, work);
  };
  const idle = async () => {
    while (sending.size > 0) await Promise.all(sending.values());
  };
  return {
    async round() {
      await deps.withFleet(async (fleet) => {
        const { channels } = fleet.settings.notify;
        if (channels.length > 0) await decide(fleet, deps);
        await dropOrphans(channels, deps);
        for (const channel of channels) begin(channel);
      });
    },
    idle,
    async stop() {
      stopping.abort();
      await idle();
    },
  };
}

async function decide(fleet: Fleet, deps: NotifierDeps): Promise<void> {
  const { notifications, now } = deps;
  const unlock = await notifications.lock('decide', DECIDING_MS);
  if (unlock === undefined) return; // another process does
  try {
    const pointer = await deps.store.definitions();
    const found = findProblems(await gather(fleet, pointer, deps));
    const { notify: settings, fleet: name, access } = fleet.settings;
    const commits = { used: pointer?.commit, refused: pointer?.refused?.commit };
    const situation = {
      ...found,
      commits,
      seen: await notifications.seen(),
      images: fleet.images,
      settings,
      fleet: name,
    };
    const at = now();
    await notifications.decide(decideNotifications({ ...situation, url: access?.url, now: at }), at);
  } finally {
    await unlock();
  }
}

async function gather(
  fleet: Fleet,
  pointer: DefinitionsPointer | undefined,
  { store, ledger, freshness, pulls }: NotifierDeps,
) {
  const { images, settings } = fleet;
  const { failingAfter } = settings.notify;
  const [plan, breaches, stuck, runs] = await Promise.all([
    store.plan(),
    freshness?.(fleet),
    pulls?.(),
    Promise.all(images.map(async ({ name }) => [name, await endedRuns(name, failingAfter, ledger)] as const)),
  ]);
  const facts: ProblemFacts = {
    failingAfter,
    runs: new Map(runs),
    ...(plan && { entries: plan.entries }),
    ...(pointer && { definitions: { refused: pointer.refused?.message } }),
    ...(breaches && { freshness: breaches }),
    ...(stuck && { pulls: stuck }),
  };
  return facts;
}

async function endedRuns(image: string, failingAfter: number, ledger: NotifierDeps['ledger']) {
  const runs = await ledger.runs({ image, limit: failingAfter + RUNS_BESIDES });
  return runs.filter(({ outcome }) => outcome !== undefined);
}

/** In their order; one that has to wait holds up what is behind it in its own channel, and nothing else. */
async function sendAll(channel: NotifyChannel, deps: NotifierDeps, signal: AbortSignal): Promise<void> {
  const { notifications, now } = deps;
  const waits = async () => (await notifications.pending()).find(({ message }) => message.channel === channel.name);
  while (!signal.aborted) {
    const next = await waits();
    if (next === undefined || next.nextAt > now()) return;
    const unlock = await notifications.lock(`send:${channel.name}`, SENDING_MS);
    if (unlock === undefined) return;
    try {
      const again = await waits(); // somebody may have sent it before we had the lock
      if (again?.message.id === next.message.id && !(await sendOne(channel, again, deps, signal))) return;
    } finally {
      await unlock();
    }
  }
}

/** @returns whether the next one may go */
async function sendOne(
  channel: NotifyChannel,
  { message, attempts }: Pending,
  { notifications, notifierOf, now, onTrouble }: NotifierDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const at = () => new Date(now()).toISOString();
  try {
    await (await notifierOf(channel)).send(message, { signal });
    await notifications.sent(message, at());
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    const why = error instanceof Error ? error.message : String(error);
    const isFinal = error instanceof NotifyError && !error.retryable;
    const wait = isFinal ? undefined : retryIn(attempts + 1, retryAfterOf(error));
    onTrouble(`the notification "${message.title}" did not reach ${channel.name}: ${why}`);
    if (wait === undefined) {
      await notifications.dropped(message, why, at());
      return true;
    }
    await notifications.failed({ message, attempts: attempts + 1, nextAt: now() + wait, error: why });
    return false;
  }
}

function retryAfterOf(error: unknown): number | undefined {
  if (!(error instanceof NotifyError)) return undefined;
  const { retryAfterMs } = error.details;
  return typeof retryAfterMs === 'number' ? retryAfterMs : undefined;
}

/** Channels that are not there any more. */
async function dropOrphans(channels: readonly NotifyChannel[], { notifications, now }: NotifierDeps): Promise<void> {
  const names = channels.map(({ name }) => name);
  for (const { message } of await notifications.pending()) {
    if (names.includes(message.channel)) continue;
    await notifications.dropped(message, 'the channel is not in ingot.yaml any more', new Date(now()).toISOString());
  }
}
