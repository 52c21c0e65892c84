import type { Reference } from '../domain/reference.ts';
import { type Pause, standingOf } from '../domain/standing.ts';
import { withMarkLog } from './channel-moves.ts';
import type { MarkDeps } from './mark-log.ts';

export interface PauseRequest {
  /** Of an image, or `places.fleet()` for all. */
  readonly repository: Reference;
  readonly by: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly until?: string;
}

/** Nothing is rebuilt any more, until it is resumed, or by itself at a time. What is in use stays in use. */
export async function pause(
  { repository, by, reason, until }: PauseRequest,
  deps: MarkDeps,
  signal: AbortSignal,
): Promise<void> {
  await withMarkLog(repository, deps, signal, async ({ log }) => {
    await log.add({ kind: 'pause', by, reason, ...(until && { until }) });
  });
}

/** @returns the pause that was ended; `undefined` when there was none, and nothing was written */
export async function resume(
  { repository, by }: Pick<PauseRequest, 'repository' | 'by'>,
  deps: MarkDeps,
  signal: AbortSignal,
): Promise<Pause | undefined> {
  return withMarkLog(repository, deps, signal, async ({ log }) => {
    const { paused } = standingOf(log.marks, deps.now().toISOString());
    if (paused !== undefined) await log.add({ kind: 'resume', by });
    return paused;
  });
}
