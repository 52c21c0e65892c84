import type { Queue } from 'bullmq';
import type { Platform } from '../domain/platform.ts';
import type { QueueView, Role } from '../domain/service/workers.ts';

/** How full a queue is. */
export async function countQueue(
  queue: Queue,
  about: { readonly role: Role | 'scheduler'; readonly platform?: Platform },
): Promise<Omit<QueueView, 'workers'>> {
  const counts = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active', 'waiting-children');
  const of = (name: string) => counts[name] ?? 0;
  const waiting = of('waiting') + of('prioritized');
  const [oldest] = waiting === 0 ? [] : await queue.getJobs(['waiting', 'prioritized'], 0, 0, true);
  return {
    name: queue.name,
    ...about,
    waiting,
    delayed: of('delayed'),
    running: of('active'),
    stalled: 0,
    blocked: of('waiting-children'),
    failed: 0,
    ...(oldest && { oldest: new Date(oldest.timestamp).toISOString() }),
  };
}
