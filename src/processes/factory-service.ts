import { setTimeout as wait } from 'node:timers/promises';
import { ulid } from 'ulid';
import { createProposer } from '../flows/proposals.ts';
import { nextTimes } from '../queue/cron.ts';
import { createService } from '../service/create-service.ts';
import { createHookReceiver } from '../service/hook-receiver.ts';
import type { HookReceiver } from '../service/hooks.ts';
import { type FactoryService, ServiceError } from '../service/service.ts';
import type { Host } from './host.ts';

/** The questions and decisions of people, on the parts of a process. */
export function createFactoryService(host: Host, { reload }: { reload(): Promise<void> }): FactoryService {
  const { store, runs, ledger, freshness, hooks, notifications } = host;
  return createService({
    ...{ store, runs, ledger, freshness, hooks, notifications, reload, nextTimes },
    async withFactory(use) {
      const pointer = await store.definitions();
      if (pointer === undefined) throw new ServiceError('no definitions have been read yet', { code: 'unavailable' });
      return host.withApp(pointer.digest, (app) =>
        use({ ...app, propose: createProposer({ ...app, now: () => new Date() }) }),
      );
    },
    budgets: () => host.budgets.views(),
    newRunId: () => ulid(),
    now: () => new Date(),
    sleep: (ms, signal) => wait(ms, undefined, { signal }),
  });
}

/** Takes webhooks. What is to be checked later is, as long as this process lives; a sweep finds the same. */
export function createReceiver(
  host: Host,
  { reload, onTrouble }: { reload(): Promise<void>; onTrouble: (message: string) => void },
): HookReceiver {
  const { hooks, store, runs } = host;
  return createHookReceiver({
    ...{ hooks, store, runs, reload, onTrouble },
    async withFleet(use) {
      const pointer = await store.definitions();
      if (pointer === undefined) throw new ServiceError('no definitions have been read yet', { code: 'unavailable' });
      return host.withApp(pointer.digest, async ({ fleet }) => use(fleet));
    },
    now: () => new Date(),
    after: (ms, work) => void setTimeout(() => void work(), ms).unref(),
  });
}
