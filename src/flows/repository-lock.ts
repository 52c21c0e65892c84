import { FactoryError } from '../domain/errors.ts';
import { type Reference, repositoryOf } from '../domain/reference.ts';
import type { Ledger, Lock } from '../ledger/ledger.ts';

export interface LockDeps {
  readonly ledger: Pick<Ledger, 'lock'>;
}

const TTL_MS = 15_000;
const WAIT_MS = 120_000;

/** Versions are given out, and channels moved, by one process at a time in each repository. */
export async function withRepositoryLock<T>(
  repository: Reference,
  { ledger }: LockDeps,
  signal: AbortSignal,
  work: (lock: Lock) => Promise<T>,
): Promise<T> {
  const lock = await ledger.lock({ name: repositoryOf(repository), ttlMs: TTL_MS, waitMs: WAIT_MS, signal });
  try {
    return await work(lock);
  } finally {
    await lock.release();
  }
}

/** Before each write: a process that was stopped may have lost its turn meanwhile. */
export function requireTurn(lock: Lock, repository: Reference): void {
  if (lock.isHeld()) return;
  const message = `${repositoryOf(repository)}: this process slept, and another one may have moved on; look again`;
  throw new FactoryError(message, { code: 'lost-turn', retryable: true });
}
