import { expect, test } from 'vitest';
import { guardService } from '../../src/access/guarded.ts';
import type { PullView } from '../../src/domain/service/views.ts';
import type { WorkerView } from '../../src/domain/service/workers.ts';
import { createFakeService } from '../support/fake-service.ts';

const AT = '2026-11-23T02:00:00.000Z';
const pull = (number: number, image?: string): PullView => {
  const about = { repository: 'shop', number, title: 'a title', state: 'open', body: 'words' };
  return { ...about, ...(image && { image }) };
};
const job = (image: string) => ({ run: '01RUN', image, role: 'release', startedAt: AT }) as const;
const WORKER: WorkerView = {
  ...{ id: '01W', host: 'a', pid: 1, version: '0', roles: ['release'], platforms: [], concurrency: 2 },
  ...{ startedAt: AT, seenAt: AT, stopping: false, jobs: [job('base'), job('child')] },
};

function seenBy(images: readonly string[]) {
  const service = createFakeService();
  const found = {
    ...service,
    pulls: async () => ({ pulls: [pull(1, 'base'), pull(2, 'child'), pull(3)], unknown: [] }),
    workers: async () => [WORKER],
  };
  return guardService(found, { name: 'ci', role: 'viewer', images, key: 'token:1' });
}

test.each([
  [['chi*'], [2], ['child']],
  [['*'], [1, 2, 3], ['base', 'child']],
  [['other'], [], []],
])('a credential of %j sees pull requests and jobs of its images alone', async (images, numbers, jobs) => {
  const service = seenBy(images);

  const { pulls } = await service.pulls();
  const [worker] = await service.workers();

  expect(pulls.map(({ number }) => number)).toEqual(numbers);
  expect(worker?.jobs.map(({ image }) => image)).toEqual(jobs);
});
