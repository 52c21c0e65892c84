import { expect, test } from 'vitest';
import type { WorkerView } from '../../src/domain/service/workers.ts';
import { createBuildGate } from '../../src/processes/build-gate.ts';
import type { Host } from '../../src/processes/host.ts';
import type { Started } from '../../src/processes/workers.ts';

const GIB = 1024 ** 3;

/** A worker for arm64, among others that a Redis tells of. */
function worker(how: 'native' | 'emulated') {
  const said: string[] = [];
  const state: { workers: Partial<WorkerView>[]; last?: string; free: number } = { workers: [], free: 50 * GIB };
  const started = {
    role: 'build',
    platform: { platform: 'linux/arm64', how },
    worker: { resume: async () => void said.push('takes work'), pause: async () => void said.push('waits') },
  } as unknown as Started;
  const host = {
    store: {
      definitions: async () => ({ digest: 'sha256:0' }),
      workers: async () => state.workers,
      lastNative: async () => state.last,
    },
    withApp: async (_: unknown, use: (app: unknown) => unknown) =>
      use({ fleet: { settings: { rebuild: { emulateAfterSeconds: 600 } } } }),
  } as unknown as Host;
  const disk = async () => ({ freeBytes: state.free, neededBytes: 2 * GIB });
  return { said, state, ...createBuildGate([started], host, disk) };
}

const native = { roles: ['build'], platforms: [{ platform: 'linux/arm64', how: 'native' }], stopping: false } as const;
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

test('a worker emulates at once where nobody was ever native', async () => {
  const { said, look } = worker('emulated');

  await look();
  await look();

  expect(said).toEqual(['takes work']);
});

test('it waits while somebody is native, for a while after, and again when one comes', async () => {
  const { said, state, look } = worker('emulated');

  Object.assign(state, { workers: [native], last: minutesAgo(0) });
  await look();
  Object.assign(state, { workers: [], last: minutesAgo(9) });
  await look();
  expect(said).toEqual([]);

  state.last = minutesAgo(11);
  await look();
  Object.assign(state, { workers: [{ ...native, stopping: true }] });
  await look();
  expect(said).toEqual(['takes work']);

  Object.assign(state, { workers: [native], last: minutesAgo(0) });
  await look();
  expect(said).toEqual(['takes work', 'waits']);
});

test('a native worker builds nothing while its disk is full, and goes on by itself', async () => {
  const { said, state, look, lowDisk } = worker('native');

  await look();
  expect(said).toEqual([]);

  state.free = GIB;
  await look();
  await look();
  expect(said).toEqual(['waits']);
  expect(lowDisk()).toEqual({ freeBytes: GIB, neededBytes: 2 * GIB });

  state.free = 3 * GIB;
  await look();
  expect(said).toEqual(['waits', 'takes work']);
  expect(lowDisk()).toBeUndefined();
});

test('who emulates takes the place of a native worker that has no room', async () => {
  const { said, state, look } = worker('emulated');
  const lowDisk = { freeBytes: GIB, neededBytes: 2 * GIB };

  Object.assign(state, { workers: [{ ...native, lowDisk }], last: minutesAgo(11) });
  await look();

  expect(said).toEqual(['takes work']);
});
