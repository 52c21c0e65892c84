import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const CORPUS = join(import.meta.dirname, '..', '..', 'test', 'corpus');

/** Puts the public files that the tests keep where they lie in their repositories. @returns how many */
export async function layOut(folder: string): Promise<number> {
  let count = 0;
  for (const id of (await readdir(CORPUS)).filter((name) => !name.startsWith('.'))) {
    const rows = (await readFile(join(CORPUS, id, 'SOURCES.md'), 'utf8'))
      .split('\n')
      .filter((row) => row.startsWith('| `'));
    for (const row of rows) {
      const [, file = '', repository = '', path = ''] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
      const target = join(folder, repository, path);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(join(CORPUS, id, file), target);
      count += 1;
    }
  }
  return count;
}
