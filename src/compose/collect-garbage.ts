import type { Collection } from '../domain/prune/collection.ts';
import type { Embedded } from '../embedded/embedded.ts';
import type { Ledger } from '../ledger/ledger.ts';

const RUNS_ASKED = 100;
/** A run without an end for longer died with its Redis. */
const LONGEST_RUN_MS = 6 * 3600_000;

/** What pushes meanwhile would have to push again, so that runs come first. Absent: the registry is not ours. */
export function createGarbageCollection(
  { collectGarbage }: Pick<Embedded, 'collectGarbage'>,
  ledger: Pick<Ledger, 'runs'>,
  now: () => number,
): (() => Promise<Collection>) | undefined {
  if (collectGarbage === undefined) return undefined;
  return async () => {
    const runs = await ledger.runs({ limit: RUNS_ASKED });
    const isFresh = (startedAt: string) => now() - Date.parse(startedAt) < LONGEST_RUN_MS;
    if (runs.some(({ outcome, startedAt }) => outcome === undefined && isFresh(startedAt))) return 'when nothing runs';
    return (await collectGarbage()) === 'done' ? 'done' : 'when it starts next';
  };
}
