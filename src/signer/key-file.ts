import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createKeySigner, generateKeyPair } from './key.ts';

/**
 * The key of an installation that configured none: made at first use, kept in the data directory, readable by its
 * owner alone. For the embedded registry only; a real one wants a key that outlives this machine.
 */
export async function ensureKey(folder: string): Promise<string> {
  const path = join(folder, 'ingot.key');
  const existing = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const pem = existing ?? (await makeKey(folder, path));
  await writeFile(join(folder, 'ingot.pub'), createKeySigner(pem).publicKey);
  return pem;
}

async function makeKey(folder: string, path: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPair();
  await writeFile(`${path}.new`, privateKey, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return privateKey;
}
