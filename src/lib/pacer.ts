import { nextTurns, pacedError, type WriteLimits, withinHour } from '../domain/pace.ts';

/** Who writes where, and how fast that may go. */
export interface Writer {
  /** Of the forge, with its port when it has one. */
  readonly host: string;
  /** How people know the credential: never itself. */
  readonly identity: string;
  readonly limits: WriteLimits;
}

export interface TurnCall {
  /** Takes from what is kept for urgent things. */
  readonly urgent?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Keeps writes to forges below what they allow. */
export interface Pacer {
  /** Waits until so many writes may follow each other. @throws FactoryError `rate-limited` when that takes too long */
  turn(writer: Writer, count: number, call?: TurnCall): Promise<void>;
  /** Waits until one request is far enough from the one before; for each request within a turn. */
  apart(writer: Writer, signal?: AbortSignal): Promise<void>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** When so many more writes would be done; milliseconds since the epoch. */
  until(writer: Writer, count: number, call?: TurnCall): Promise<number>;
}

/** Where the times of writes are kept. */
export interface WriteTimes {
  read(key: string): Promise<readonly number[]>;
  /** One change at a time, in whatever process. */
  change(key: string, change: (times: readonly number[]) => readonly number[]): Promise<void>;
}

export interface PacerOptions {
  readonly times: WriteTimes;
  /** Milliseconds; who would wait longer is told so. */
  readonly maxWaitMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export function createPacer({ times, maxWaitMs, now, sleep }: PacerOptions): Pacer {
  const last = new Map<string, number>();
  const waitUntil = async (time: number, signal?: AbortSignal) => {
    const wait = time - now();
    if (wait > 0) await sleep(wait, signal);
    signal?.throwIfAborted();
  };
  return {
    now,
    async turn(writer, count, { urgent, signal } = {}) {
      let turns: readonly number[] = [];
      await times.change(keyOf(writer), (earlier) => {
        const kept = withinHour(earlier, now());
        turns = nextTurns(kept, writer.limits, { count, now: now(), urgent });
        return turns.at(-1)! - now() > maxWaitMs ? kept : [...kept, ...turns];
      });
      if (turns.at(-1)! - now() > maxWaitMs) throw pacedError(writer.host, { after: turns[0]!, now: now() });
      await waitUntil(turns[0]!, signal);
    },
    async apart(writer, signal) {
      const { apartMs = 0 } = writer.limits;
      if (apartMs === 0) return;
      const turn = Math.max(now(), (last.get(keyOf(writer)) ?? 0) + apartMs);
      last.set(keyOf(writer), turn); // before the wait, so that who comes next waits for the one after
      await waitUntil(turn, signal);
    },
    async until(writer, count, { urgent } = {}) {
      const kept = withinHour(await times.read(keyOf(writer)), now());
      return nextTurns(kept, writer.limits, { count, now: now(), urgent }).at(-1) ?? now();
    },
  };
}

/** For a process that is alone. */
export function createWriteTimes(): WriteTimes {
  const known = new Map<string, readonly number[]>();
  return {
    read: async (key) => known.get(key) ?? [],
    async change(key, change) {
      known.set(key, change(known.get(key) ?? []));
    },
  };
}

function keyOf({ host, identity }: Writer): string {
  return `${host} ${identity}`;
}
