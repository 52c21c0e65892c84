import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FactoryError } from '../domain/errors.ts';
import { type Lock, openLock } from './lock.ts';
import type { Part } from './part.ts';
import { waitUntil } from './processes.ts';
import { readState } from './state.ts';
import { type Supervised, supervise } from './supervisor.ts';

/** A part that runs: ours, or that of another process on the same data directory. */
export interface KeptPart {
  readonly address: string;
  readonly owner: boolean;
  /** Stops and starts it at the same address; absent: it is not ours. */
  readonly restart?: () => Promise<void>;
  /** Stops the part when it is ours. */
  close(): Promise<void>;
}

export interface KeepOptions {
  readonly logDirectory: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const ATTACH_MS = 60_000;

/**
 * Who holds the lock of a part's folder runs it; everybody else uses it at the same address and waits for the lock, so
 * that the part goes on when its owner ends. Either way the address stays.
 */
export async function keepPart(part: Part, options: KeepOptions): Promise<KeptPart> {
  await mkdir(part.folder, { recursive: true });
  const lock = openLock(join(part.folder, 'lock'));
  let address: string | undefined;
  let owner = false;
  try {
    const settled = await waitUntil(
      async () => {
        owner = await lock.tryTake();
        if (!owner) address = await runningAddress(part, options.signal);
        return owner || address !== undefined;
      },
      ATTACH_MS,
      options.signal,
    );
    if (!settled) throw notAnswering(part);
    return address === undefined ? await own(part, lock, options) : attach({ part, lock, address }, options);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function runningAddress(part: Part, signal?: AbortSignal): Promise<string | undefined> {
  const state = await readState(part);
  return state && (await part.isReady(state.address, signal)) ? state.address : undefined;
}

async function own(part: Part, lock: Lock, { logDirectory, log, signal }: KeepOptions): Promise<KeptPart> {
  const release = once(lock.release);
  const supervised = await supervise(part, {
    logPath: join(logDirectory, `${part.name}.log`),
    log,
    signal,
    onGivenUp: release,
  });
  return {
    address: supervised.address,
    owner: true,
    restart: supervised.restart,
    close: async () => {
      await supervised.close();
      release();
    },
  };
}

interface Attached {
  readonly part: Part;
  readonly lock: Lock;
  readonly address: string;
}

function attach({ part, lock, address }: Attached, options: KeepOptions): KeptPart {
  const leaving = new AbortController();
  const takingOver = takeOver({ part, lock, address }, options, leaving.signal);
  return {
    address,
    owner: false,
    close: async () => {
      leaving.abort();
      await (await takingOver)?.close();
    },
  };
}

/** Waits until the owner is gone, and runs the part then. */
async function takeOver(
  { part, lock }: Attached,
  options: KeepOptions,
  signal: AbortSignal,
): Promise<Pick<Supervised, 'close'> | undefined> {
  try {
    if (await lock.take(signal)) {
      options.log(`the process that ran the embedded ${part.name} is gone; going on with it here`);
      return await own(part, lock, { ...options, signal });
    }
  } catch (error) {
    if (!signal.aborted) options.log(error instanceof Error ? error.message : String(error));
  }
  lock.release();
  return undefined;
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) action();
    isDone = true;
  };
}

function notAnswering(part: Part): FactoryError<'unavailable'> {
  return new FactoryError(
    `another ingot runs the ${part.name} of ${part.folder}, which does not answer; ` +
      'stop that ingot, or use another data directory (INGOT_DATA)',
    { code: 'unavailable', retryable: true },
  );
}
