import { expect, test } from 'vitest';
import type { WorkerView } from '../../src/domain/service/workers.ts';
import { createEmulationGate } from '../../src/processes/emulation.ts';
import type { Host } from '../../src/processes/host.ts';
import type { Started } from '../../src/processes/workers.ts';

/** A worker that emulates arm64, among others that a Redis tells of. */
function emulating() {
  const said: string[] = [];
  const state: { workers: Partial<WorkerView>[]; last?: string } = { workers: [] };
  const started = {
    role: 'build',
    platform: { platform: 'linux/arm64', how: 'emulated' },
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
  return { said, state, look: createEmulationGate([started], host) };
}

const native = { roles: ['build'], platforms: [{ platform: 'linux/arm64', how: 'native' }], stopping: false } as const;
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

test('a worker emulates at once where nobody was ever native', async () => {
  const { said, look } = emulating();

  await look();
  await look();

  expect(said).toEqual(['takes work']);
});

test('it waits while somebody is native, for a while after, and again when one comes', async () => {
  const { said, state, look } = emulating();

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
