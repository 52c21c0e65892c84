import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { FactoryError } from '../domain/errors.ts';
import { childEnvironment } from '../lib/exec.ts';
import type { LogFile } from './log-file.ts';
import type { Launch, Part } from './part.ts';
import { identify, sendSignal, waitUntil } from './processes.ts';
import { writeState } from './state.ts';

/** A started program. */
export interface Child {
  readonly address: string;
  /** How it ended: `exit code 1`, `SIGKILL`. */
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL when that takes too long. */
  stop(): Promise<void>;
}

const READY_MS = 60_000;
const STOP_MS = 10_000;
/** For a namespace whose first process was killed: its end is over when all in it are gone. */
const KILL_MS = 5_000;

/** Starts a part and waits until it answers. */
export async function startChild(part: Part, log: LogFile, signal: AbortSignal): Promise<Child> {
  const launch = await part.prepare();
  signal.throwIfAborted();
  const process = spawnBound(launch, part.folder);
  process.stdout?.on('data', log.write);
  process.stderr?.on('data', log.write);
  const child = toChild(process, launch);
  try {
    await noteState(part, process, launch);
    await untilReady(part, child, log, signal);
    return child;
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/**
 * The kernel ends the child when we end, however we end (prctl(2), PR_SET_PDEATHSIG). In a session of its own, Ctrl-C
 * in the terminal reaches us alone, and we stop things in order.
 */
function spawnBound({ program, args, deathSignal, env }: Launch, cwd: string): ChildProcess {
  const process = spawn('setpriv', ['--pdeathsig', deathSignal, '--', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    cwd,
    env: { ...childEnvironment(), ...env },
  });
  // A child is no reason for us to stay alive.
  process.unref();
  for (const stream of [process.stdout, process.stderr]) (stream as unknown as { unref(): void } | null)?.unref();
  return process;
}

function toChild(process: ChildProcess, { address, target, stopMs = STOP_MS, leaves = [] }: Launch): Child {
  const ended = new Promise<string>((resolve) => {
    process.once('error', (error) => resolve(error.message));
    process.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  return {
    address,
    ended,
    stop: async () => {
      if (process.pid === undefined || process.exitCode !== null || process.signalCode !== null) return;
      const asked = target ? await target(process.pid) : process.pid;
      if (asked !== undefined) sendSignal(asked, 'SIGTERM');
      if (!(await endsIn(ended, stopMs)) && asked !== undefined) {
        sendSignal(asked, 'SIGKILL');
        await endsIn(ended, KILL_MS);
      }
      process.kill('SIGKILL');
      await ended;
      await Promise.all(leaves.map((path) => rm(path, { force: true })));
    },
  };
}

/** Whether it ends in time. Unlike `endsWithin`, it keeps the process alive: what closes is not left half closed. */
async function endsIn(ended: Promise<unknown>, ms: number): Promise<boolean> {
  const inTime = new AbortController();
  const late = delay(ms, false, { signal: inTime.signal }).catch(() => false);
  const isOver = await Promise.race([ended.then(() => true), late]);
  inTime.abort();
  return isOver;
}

async function noteState(part: Part, { pid }: ChildProcess, { address }: Launch): Promise<void> {
  const id = pid === undefined ? undefined : await identify(pid);
  if (id) await writeState(part, { ...id, address });
}

async function untilReady(part: Part, child: Child, log: LogFile, signal: AbortSignal): Promise<void> {
  let how: string | undefined;
  child.ended.then((text) => {
    how = text;
  });
  const isReady = await waitUntil(
    async () => how !== undefined || part.isReady(child.address, signal),
    READY_MS,
    signal,
  );
  if (isReady && how === undefined) return;
  const what = how === undefined ? `does not answer after ${READY_MS / 1000} s` : `ended at once (${how})`;
  const own = log.tail();
  throw new FactoryError(
    `the embedded ${part.name} ${what}${own && `:\n${own}\n`}; its log is ${log.path}, "ingot doctor" lists what is missing`,
    { code: 'unavailable', retryable: how === undefined },
  );
}
