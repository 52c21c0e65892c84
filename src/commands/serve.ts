import type { Log } from '../lib/log.ts';

/** What keeps running until it is told to stop. */
export interface Standing {
  stop(graceMs: number): Promise<void>;
}

export interface StandOptions {
  readonly graceMs: number;
  readonly signal: AbortSignal;
}

/** Keeps running until the signal, then lets work end. The exit code of a service that was told to stop is 0. */
export async function stand(
  standing: Standing,
  log: Pick<Log, 'warn'>,
  { graceMs, signal }: StandOptions,
): Promise<number> {
  const keep = setInterval(() => {}, 3600_000); // something has to keep the process alive
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
  clearInterval(keep);
  log.warn('stopping; what runs may end, the rest goes back to the queues');
  await standing.stop(graceMs);
  return 0;
}
