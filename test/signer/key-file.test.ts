import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeySigner } from '../../src/signer/key.ts';
import { ensureKey } from '../../src/signer/key-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-key-file-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('key of an installation that configured none', () => {
  it('is made once, for its owner alone, with the public half beside it', async () => {
    const keys = join(folder, 'keys');

    const first = await ensureKey(keys);
    const second = await ensureKey(keys);

    expect(second).toBe(first);
    expect((await stat(join(keys, 'ingot.key'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(keys, 'ingot.pub'), 'utf8')).toBe(createKeySigner(first).publicKey);
  });

  it('is an error when it cannot be read, never a reason for another', async () => {
    await expect(ensureKey(join('/dev/null', 'keys'))).rejects.toThrow(/ENOTDIR/);
  });
});
