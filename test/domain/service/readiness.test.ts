import { expect, test } from 'vitest';
import { workersText } from '../../../src/commands/service-tables.ts';
import { readinessOf } from '../../../src/domain/service/readiness.ts';
import type { WorkerView } from '../../../src/domain/service/workers.ts';

const at = '2026-08-22T02:00:00.000Z';
const lowDisk = { freeBytes: 1024 ** 3, neededBytes: 2 * 1024 ** 3 };

function worker(host: string, more: Partial<WorkerView> = {}): WorkerView {
  const what = { roles: ['build'], platforms: [{ platform: 'linux/amd64', how: 'native' }], concurrency: 1 } as const;
  const who = { id: host, host, pid: 1, version: '0.1.0', startedAt: at, seenAt: at };
  return { ...who, ...what, stopping: false, jobs: [], ...more };
}

test('one worker that builds the platform and has room is enough', () => {
  expect(readinessOf('linux/amd64', [worker('a', { lowDisk }), worker('b')])).toEqual({ ready: true });
});

test('without one it says what to start', () => {
  const answer = readinessOf('linux/arm64', [worker('a'), worker('b', { roles: ['release'] })]);

  expect(answer).toMatchObject({ ready: false, why: 'no worker builds linux/arm64' });
});

test('where all have too little disk, it says whose', () => {
  const answer = readinessOf('linux/amd64', [worker('b', { lowDisk }), worker('a', { lowDisk })]);

  expect(answer).toMatchObject({ ready: false, why: 'every worker for linux/amd64 has too little disk: a, b' });
});

test('"ingot workers" says which of them builds nothing', () => {
  const text = workersText([worker('a', { lowDisk })], Date.parse(at));

  expect(text).toContain('builds nothing: only 1.0 GiB of disk are free, a build needs 2.0 GiB');
});
