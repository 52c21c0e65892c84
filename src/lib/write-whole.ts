import { rename, writeFile } from 'node:fs/promises';

/** Writes a file so that nobody ever reads half of it. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, path);
}
