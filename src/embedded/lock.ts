import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { FactoryError } from '../domain/errors.ts';
import { childEnvironment } from '../lib/exec.ts';

/** A lock on a file that ends with the process that holds it, however that ends. */
export interface Lock {
  /** Takes the lock when it is free. */
  tryTake(): Promise<boolean>;
  /** Waits for the lock; false when the signal said to stop waiting. */
  take(signal: AbortSignal): Promise<boolean>;
  release(): void;
}

/**
 * Node has no flock(2). The lock belongs to the open file description, which a child shares: flock(1) locks its
 * descriptor 3, exits, and ours keeps the lock until the kernel closes it.
 */
export function openLock(path: string): Lock {
  // A number and not a FileHandle: that one would be closed, and the lock lost, by the garbage collector.
  const descriptor = openSync(path, 'a', 0o600);
  return {
    tryTake: () => flock(descriptor, ['--nonblock']),
    take: (signal) => flock(descriptor, [], signal),
    release: () => closeSync(descriptor),
  };
}

function flock(descriptor: number, options: readonly string[], signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // A waiting flock must not outlive us: it would be given the lock and keep it from everybody else.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'flock', ...options, '--conflict-exit-code', '75', '3'], {
      stdio: ['ignore', 'ignore', 'ignore', descriptor],
      env: childEnvironment(),
      detached: true,
      ...(signal && { signal, killSignal: 'SIGKILL' }),
    });
    if (signal) child.unref();
    child.once('error', (cause) => (signal?.aborted ? resolve(false) : reject(lockError(cause))));
    child.once('exit', (code) => {
      if (code === 0) resolve(true);
      else if (code === 75 || signal?.aborted) resolve(false);
      else reject(lockError(`flock ended with ${code}`));
    });
  });
}

function lockError(cause: unknown): FactoryError<'configuration'> {
  const remedy = 'install util-linux, which has setpriv and flock ("ingot doctor" lists what is missing)';
  return new FactoryError(`the data directory cannot be locked; ${remedy}`, { code: 'configuration', cause });
}
