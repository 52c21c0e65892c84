import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from './child.ts';
import { type LogFile, openLogFile } from './log-file.ts';
import type { Part } from './part.ts';
import { endLeftover } from './processes.ts';
import { clearState, readState } from './state.ts';

export interface Supervised {
  readonly address: string;
  /** Stops it and starts it again, there or given up when this is over. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface SuperviseOptions {
  readonly logPath: string;
  /** One line for a person. */
  readonly log: (line: string) => void;
  /** Ends the start, not what was started. */
  readonly signal?: AbortSignal | undefined;
  /** It died too often: nothing is tried any more. */
  readonly onGivenUp: () => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const DEATHS = 5;
const DEATHS_WITHIN_MS = 60_000;

/** Starts a part and starts it again whenever it dies, until closed. The caller holds the part's lock. */
export async function supervise(part: Part, options: SuperviseOptions): Promise<Supervised> {
  const left = await readState(part);
  if (left) await endLeftover(left);
  await clearState(part);
  const logFile = openLogFile(options.logPath);
  const closing = new AbortController();
  const starting = options.signal ? AbortSignal.any([options.signal, closing.signal]) : closing.signal;
  const child = await startChild(part, logFile, starting).catch((error: unknown) => {
    logFile.close();
    throw error;
  });
  const turns: Turns = { child };
  const keeping = keepAlive({ part, turns, logFile, options, signal: closing.signal });
  return {
    address: child.address,
    restart: async () => {
      turns.restart ??= Promise.withResolvers<void>();
      const { promise } = turns.restart;
      await turns.child.stop();
      await Promise.race([promise, keeping]);
    },
    close: async () => {
      closing.abort();
      await keeping;
      await clearState(part);
    },
  };
}

interface Turns {
  /** What runs now. */
  child: Child;
  /** Its end is wanted: settled when the next one is there. */
  restart?: PromiseWithResolvers<void> | undefined;
}

interface Keeping {
  readonly part: Part;
  readonly turns: Turns;
  readonly logFile: LogFile;
  readonly options: SuperviseOptions;
  readonly signal: AbortSignal;
}

async function keepAlive({ part, turns, logFile, options, signal }: Keeping): Promise<void> {
  const closed = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  const deaths: number[] = [];
  for (;;) {
    const how = await Promise.race([turns.child.ended, closed]);
    if (how === undefined || signal.aborted) break;
    const { restart } = turns;
    if (restart !== undefined) {
      turns.child = await startAgain({ part, turns, logFile, options, signal }, 0);
      turns.restart = undefined;
      restart.resolve();
      continue;
    }
    deaths.push(performance.now());
    const recent = deaths.filter((death) => performance.now() - death < DEATHS_WITHIN_MS).length;
    if (recent > DEATHS) {
      options.log(`the embedded ${part.name} ended ${recent} times within a minute; given up, see ${logFile.path}`);
      options.onGivenUp();
      break;
    }
    options.log(`the embedded ${part.name} ended (${how}); starting it again`);
    turns.child = await startAgain({ part, turns, logFile, options, signal }, recent);
  }
  await turns.child.stop();
  logFile.close();
}

/** The new child, or the dead one when it did not start: the next round counts that as one more death. */
async function startAgain({ part, turns, logFile, options, signal }: Keeping, deaths: number): Promise<Child> {
  try {
    const pause = deaths === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (deaths - 1), LONGEST_PAUSE_MS);
    await delay(pause, undefined, { signal, ref: false });
    return await startChild(part, logFile, signal);
  } catch (error) {
    if (!signal.aborted) options.log(error instanceof Error ? error.message : String(error));
    return turns.child;
  }
}
