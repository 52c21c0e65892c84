import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keysCreate } from '../../src/commands/keys.ts';
import { createKeySigner } from '../../src/signer/key.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-keys-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('ingot keys create', () => {
  it('writes a pair that fits, the private half for its owner alone', async () => {
    const lines: string[] = [];

    const code = await keysCreate({ out: join(folder, 'ingot'), print: (line) => lines.push(line) });

    const privateKey = await readFile(join(folder, 'ingot.key'), 'utf8');
    expect(code).toBe(0);
    expect(createKeySigner(privateKey).publicKey).toBe(await readFile(join(folder, 'ingot.pub'), 'utf8'));
    expect((await stat(join(folder, 'ingot.key'))).mode & 0o777).toBe(0o600);
    expect(lines.join('\n')).toContain('signing: { key: { env: INGOT_SIGNING_KEY } }');
    expect(lines.join('\n')).not.toContain(privateKey.split('\n')[1]);
  });

  it('never replaces a key that is there', async () => {
    const out = join(folder, 'ingot');
    await keysCreate({ out, print: () => {} });
    const before = await readFile(`${out}.key`, 'utf8');

    await expect(keysCreate({ out, print: () => {} })).rejects.toThrow(/is there already.*--force/);

    expect(await readFile(`${out}.key`, 'utf8')).toBe(before);
  });

  it('leaves nothing behind when only one of the two is there', async () => {
    const out = join(folder, 'ingot');
    await keysCreate({ out, print: () => {} });
    await rm(`${out}.key`);

    await expect(keysCreate({ out, print: () => {} })).rejects.toThrow(/ingot.pub is there already/);

    await expect(stat(`${out}.key`)).rejects.toThrow(/ENOENT/);
  });

  it('replaces both when told to', async () => {
    const out = join(folder, 'ingot');
    await keysCreate({ out, print: () => {} });
    const before = await readFile(`${out}.pub`, 'utf8');

    await keysCreate({ out, force: true, print: () => {} });

    const signer = createKeySigner(await readFile(`${out}.key`, 'utf8'));
    expect(signer.publicKey).toBe(await readFile(`${out}.pub`, 'utf8'));
    expect(signer.publicKey).not.toBe(before);
  });

  it('says so when it cannot write', async () => {
    await expect(keysCreate({ out: join(folder, 'no', 'ingot'), print: () => {} })).rejects.toThrow(
      /cannot be written/,
    );
  });
});
