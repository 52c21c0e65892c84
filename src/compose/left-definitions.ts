import { FactoryError } from '../domain/errors.ts';
import type { Places } from '../domain/places.ts';
import { pruneDefinitions } from '../flows/definitions.ts';
import type { ServiceStore } from '../ledger/store.ts';
import { createRunQueue } from '../queue/bullmq-runs.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import type { Registry } from '../registry/registry.ts';
import type { QueueSettings } from './session.ts';
import { withStore } from './with-store.ts';

interface Parts {
  readonly registry: Registry;
  readonly places: Places;
}

export interface LeftOptions {
  /** Else it is only said which ones would go. */
  readonly remove: boolean;
  readonly signal: AbortSignal;
}

/**
 * Definitions in the registry that no run, no job and no process has needed for a week. In a Redis that knows of no
 * service, all of them would seem so: nothing is said then.
 * @returns their tags
 */
export async function findLeftDefinitions(
  { store, runs }: { readonly store: ServiceStore; readonly runs: Pick<RunQueue, 'definitions'> },
  { registry, places }: Parts,
  { remove, signal }: LeftOptions,
): Promise<readonly string[]> {
  const [pointer, active, queued] = await Promise.all([store.definitions(), store.active(), runs.definitions()]);
  if (pointer === undefined) return [];
  const used = [pointer.digest, ...active.map(({ definitions }) => definitions), ...queued];
  const deps = { registry, repository: places.fleet(), leftSince: store.leftSince, now: Date.now, remove };
  try {
    return await pruneDefinitions(used, deps, { signal });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FactoryError(`old definitions stay: ${why}`, { code: 'unavailable', cause });
  }
}

/** The same for a command, which has no connection of its own. */
export function createLeftDefinitions(parts: Parts, queue: QueueSettings, fleet: string) {
  return (options: LeftOptions): Promise<readonly string[]> =>
    withStore(queue, fleet, async (store) => {
      const runs = createRunQueue(queue);
      try {
        return await findLeftDefinitions({ store, runs }, parts, options);
      } finally {
        await runs.close();
      }
    });
}
