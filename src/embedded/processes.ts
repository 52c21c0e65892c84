import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** A process for good: a number alone may be given to another one later. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  readonly started: string;
}

/** The process of this number that runs now. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const started = fields?.[19];
  return started === undefined || fields?.[0] === 'Z' ? undefined : { pid, started };
}

export async function isRunning({ pid, started }: ProcessId): Promise<boolean> {
  return (await identify(pid))?.started === started;
}

export async function childrenOf(pid: number): Promise<readonly number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return list.split(' ').filter(Boolean).map(Number);
}

/** Ends a process that an earlier, killed ingot left behind. */
export async function endLeftover(left: ProcessId, graceMs = 2_000): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!(await isRunning(left))) return;
    sendSignal(left.pid, signal);
    await waitUntil(async () => !(await isRunning(left)), graceMs);
  }
}

/** Sends a signal to a process that may just have ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Asks again, soon at first, until the answer is yes; false when that took too long. */
export async function waitUntil(
  ask: () => Promise<boolean>,
  limitMs: number,
  signal?: AbortSignal | undefined,
): Promise<boolean> {
  const end = performance.now() + limitMs;
  for (let pause = 5; !(await ask()); pause = Math.min(pause * 1.5, 250)) {
    if (performance.now() > end) return false;
    await delay(pause, undefined, signal && { signal });
  }
  return true;
}
