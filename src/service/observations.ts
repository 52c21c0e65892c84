import { HOOK_DIALECTS, HOOK_OUTCOMES, type HookView } from '../domain/hooks.ts';
import type { Platform } from '../domain/platform.ts';
import type { NotifyChannelView } from '../domain/service/notify.ts';
import type { PullView } from '../domain/service/views.ts';
import type { QueueView, ScheduleView, WorkerView } from '../domain/service/workers.ts';
import { readFreshness } from '../flows/freshness-report.ts';
import { messageOf } from '../flows/steps.ts';
import type { FactoryParts, ServiceParts } from './parts.ts';
import { schedulesOf } from './schedules.ts';
import type { FactoryService } from './service.ts';

type Observations = Pick<
  FactoryService,
  'freshness' | 'pulls' | 'workers' | 'queues' | 'schedules' | 'budgets' | 'hooks' | 'notifications'
>;

const PREVIEWED = 5;

export function createObservations(parts: ServiceParts): Observations {
  const { store, ledger, freshness, withFactory } = parts;
  return {
    freshness: (filter = {}) =>
      withFactory(({ fleet }) =>
        readFreshness(filter, { fleet, ledger, freshness, plan: () => store.plan(), now: parts.now() }),
      ),
    pulls: () => withFactory(readPulls),
    workers: () => store.workers(),
    queues: async () => readQueues((await store.definitions())?.platforms ?? [], parts),
    schedules: () =>
      withFactory(async ({ fleet }) => {
        const next = await parts.runs.nextTimes();
        return schedulesOf(fleet.settings).map(({ what, ...schedule }): ScheduleView => {
          const due = next.get(schedule.name);
          const times = 'cron' in schedule ? parts.nextTimes(schedule.cron, schedule.timezone, PREVIEWED) : [];
          return { ...schedule, what, next: times.length > 0 ? times : due === undefined ? [] : [due] };
        });
      }),
    budgets: () => parts.budgets(),
    hooks: () => readHooks(parts),
    notifications: () => readChannels(parts),
  };
}

async function readHooks({ hooks, withFactory }: ServiceParts): Promise<readonly HookView[]> {
  const kept = await hooks.counts();
  const settings = await withFactory(async ({ fleet }) => fleet.settings.hooks);
  return HOOK_DIALECTS.flatMap((dialect) => {
    const { counts = {}, unknown = [], lastAt } = kept.get(dialect) ?? {};
    const configured = settings[dialect] !== undefined;
    if (!configured && lastAt === undefined) return [];
    const all = Object.fromEntries(HOOK_OUTCOMES.map((outcome) => [outcome, counts[outcome] ?? 0]));
    return [{ dialect, configured, counts: all as HookView['counts'], unknown, ...(lastAt && { lastAt }) }];
  });
}

async function readChannels({ notifications, withFactory }: ServiceParts): Promise<readonly NotifyChannelView[]> {
  const [counts, pending] = await Promise.all([notifications.counts(), notifications.pending()]);
  const channels = await withFactory(async ({ fleet }) => fleet.settings.notify.channels);
  return channels.map(({ name, kind }) => {
    const waiting = pending.filter(({ message }) => message.channel === name);
    const [{ error, nextAt }] = [waiting[0] ?? { error: undefined, nextAt: 0 }];
    return {
      ...{ name, kind, sent: 0, failed: 0, waiting: waiting.length },
      ...counts.get(name),
      ...(error !== undefined && { error, nextTryAt: new Date(nextAt).toISOString() }),
    };
  });
}

async function readPulls(factory: Pick<FactoryParts, 'downstreams'>) {
  const downstreams = await factory.downstreams.list();
  const answers = await Promise.allSettled(downstreams.map((repository) => repository.pulls({}, {})));
  const pulls = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const views = pulls.map(
    ({ repository, number, title, state, body, branch, url, createdAt, updatedAt }): PullView => ({
      ...{ repository, number, title, state, body, createdAt, updatedAt },
      ...imageOf(branch),
      ...(url && { url }),
    }),
  );
  const rank = ({ state }: PullView) => (state === 'open' ? 0 : 1);
  return {
    pulls: views.sort((a, b) => rank(a) - rank(b) || b.number - a.number),
    unknown: answers.flatMap((answer, index) =>
      answer.status === 'rejected' ? [{ repository: downstreams[index]!.name, why: messageOf(answer.reason) }] : [],
    ),
  };
}

/** The branch is the identity of a pull request (flows/propose.ts). */
function imageOf(branch: string): { readonly image?: string } {
  const image = /^ingot\/image\/(.+)$/.exec(branch)?.[1];
  return image === undefined ? {} : { image };
}

async function readQueues(platforms: readonly Platform[], { runs, store }: ServiceParts) {
  const [counts, workers, failures] = await Promise.all([runs.counts(platforms), store.workers(), store.failures()]);
  return counts.map((queue): QueueView => {
    const able = workers.filter((worker) => takes(worker, queue));
    const held = able.reduce((sum, { jobs }) => sum + jobs.filter((job) => isOf(job, queue)).length, 0);
    // A worker says what it has every few seconds: what nobody has for long is seen as such
    const stalled = queue.role === 'scheduler' ? 0 : Math.max(0, queue.running - held);
    return { ...queue, stalled, failed: failures.get(queue.name) ?? 0, workers: able.length };
  });
}

type Counted = Pick<QueueView, 'role' | 'platform'>;

function takes({ roles, platforms }: WorkerView, { role, platform }: Counted): boolean {
  return roles.includes(role) && (platform === undefined || platforms.some((each) => each.platform === platform));
}

function isOf(job: WorkerView['jobs'][number], { role, platform }: Counted): boolean {
  return job.role === role && job.platform === platform;
}
