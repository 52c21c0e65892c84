import { setTimeout as wait } from 'node:timers/promises';
import { ulid } from 'ulid';
import { createProposer } from '../flows/proposals.ts';
import { nextTimes } from '../queue/cron.ts';
import { createService } from '../service/create-service.ts';
import { type FactoryService, ServiceError } from '../service/service.ts';
import type { Host } from './host.ts';

/** The questions and decisions of people, on the parts of a process. */
export function createFactoryService(host: Host, { reload }: { reload(): Promise<void> }): FactoryService {
  const { store, runs, ledger } = host;
  return createService({
    ...{ store, runs, ledger, reload, nextTimes },
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
