import { expect, test } from 'vitest';
import { Notify } from '../../src/domain/fleet/settings-notify.ts';
import { ForgeError, type ForgeRepository, type PullRequest } from '../../src/forge/forge.ts';
import { stuckPulls } from '../../src/service/stuck-pulls.ts';

const NOW = Date.parse('2026-11-23T00:00:00Z');

test('pull requests of ours that are open for too long are stuck, and a forge that is down is named', async () => {
  const shop = repository('acme/shop', async () => [
    pull(1, 'ingot/image/base', '2026-11-10T00:00:00Z'),
    pull(2, 'ingot/all', '2026-11-10T00:00:00Z'),
    pull(3, 'ingot/image/base', '2026-11-20T00:00:00Z'),
    pull(4, 'somebody/else', '2026-01-01T00:00:00Z'),
  ]);
  const down = repository('acme/down', () => Promise.reject(new ForgeError('down', { code: 'unavailable' })));

  const found = await stuckPulls([shop, down], Notify.parse({}), NOW);

  expect(found.unasked).toEqual(['acme/down']);
  expect(found.stuck).toMatchObject([
    { number: 1, image: 'base', days: 13 },
    { number: 2, days: 13 },
  ]);
  expect(found.stuck[1]).not.toHaveProperty('image');
});

/** Of a forge, what is asked here. */
function repository(name: string, pulls: () => Promise<readonly PullRequest[]>): ForgeRepository {
  return { name, pulls } as unknown as ForgeRepository;
}

function pull(number: number, branch: string, createdAt: string): PullRequest {
  const texts = { repository: 'acme/shop', base: 'main', title: 'Bump', body: '', state: 'open' as const };
  return { ...texts, number, branch, createdAt, updatedAt: createdAt };
}
