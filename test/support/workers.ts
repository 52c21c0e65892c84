import type { WorkerView } from '../../src/domain/service/workers.ts';

export const at = '2026-08-22T02:00:00.000Z';
export const lowDisk = { freeBytes: 1024 ** 3, neededBytes: 2 * 1024 ** 3 };

/** One that builds amd64 natively, and has nothing to do. */
export function worker(host: string, more: Partial<WorkerView> = {}): WorkerView {
  const what = { roles: ['build'], platforms: [{ platform: 'linux/amd64', how: 'native' }], concurrency: 1 } as const;
  const who = { id: host, host, pid: 1, version: '0.1.0', startedAt: at, seenAt: at };
  return { ...who, ...what, stopping: false, jobs: [], ...more };
}
