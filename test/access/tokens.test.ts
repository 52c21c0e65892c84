import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTokenStore, type TokenStore } from '../../src/access/tokens.ts';

let directory: string;
let now: Date;
let store: TokenStore;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'ingot-tokens-')), 'tokens');
  now = new Date('2026-11-23T00:00:00Z');
  store = createTokenStore({ directory, now: () => now });
});
afterEach(() => rm(join(directory, '..'), { recursive: true }));

const wanted = {
  name: 'ci',
  role: 'operator' as const,
  images: ['python*'],
  expiresAt: '2026-12-01T00:00:00.000Z',
  createdBy: 'ada',
};

describe('a token', () => {
  test('is its holder, with a role and images', async () => {
    const { token, record } = await store.create(wanted);

    const principal = await store.verify(token);

    expect(token).toMatch(/^ingot_[0-9a-f]{12}_[0-9a-f]{64}$/);
    expect(principal).toEqual({ name: 'token ci', role: 'operator', images: ['python*'], key: `token:${record.id}` });
  });

  test('is kept as a hash alone, for its owner alone', async () => {
    const { token } = await store.create(wanted);

    const [name] = await readdir(directory);
    const text = await readFile(join(directory, name!), 'utf8');
    expect(text).not.toContain(token.slice(-64));
    expect((await stat(join(directory, name!))).mode & 0o777).toBe(0o600);
  });

  test('is refused once it has expired, or was revoked', async () => {
    const expiring = await store.create(wanted);
    const revoked = await store.create({ ...wanted, name: 'other', expiresAt: '2030-01-01T00:00:00.000Z' });
    await store.revoke('other');
    now = new Date('2026-12-01T00:00:00Z');

    await expect(store.verify(expiring.token)).rejects.toThrow('expired at 2026-12-01');
    await expect(store.verify(revoked.token)).rejects.toThrow('was revoked at 2026-11-23');
    expect(await store.holds(expiring.record.id)).toBe(false);
    expect(await store.holds(revoked.record.id)).toBe(false);
  });

  test.each([
    ['of nobody', () => `ingot_${'0'.repeat(12)}_${'0'.repeat(64)}`],
    ['with another secret', (token: string) => token.slice(0, -1) + (token.endsWith('0') ? '1' : '0')],
    ['that is none', () => 'ingot_../../../etc/passwd_00'],
    ['that is empty', () => ''],
  ])('%s is not known', async (_, change) => {
    const { token } = await store.create(wanted);

    await expect(store.verify(change(token))).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('that shares its name with another is revoked by id', async () => {
    const first = await store.create(wanted);
    await store.create(wanted);

    await expect(store.revoke('ci')).rejects.toThrow('several tokens are called ci');
    await store.revoke(first.record.id);

    expect((await store.list()).filter(({ revokedAt }) => revokedAt).map(({ id }) => id)).toEqual([first.record.id]);
  });

  test('that is pasted where its name belongs is not said again', async () => {
    const { token } = await store.create(wanted);

    const error = await store.revoke(token).catch((thrown: Error) => thrown);

    expect((error as Error).message).toContain('_***');
    expect((error as Error).message).not.toContain(token.slice(-64));
  });
});
