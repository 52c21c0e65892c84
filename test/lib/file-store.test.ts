import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFileStore } from '../../src/lib/file-store.ts';

const folder = () => mkdtemp(join(tmpdir(), 'ingot-store-'));

test('a store gives back what was written, and nothing for what was not', async () => {
  const directory = join(await folder(), 'below');
  const store = createFileStore({ directory, maxBytes: 1000 });

  await store.write('a', 'text');

  expect((await store.read('a'))?.toString()).toBe('text');
  expect(await store.read('b')).toBeUndefined();
  await rm(directory, { recursive: true });
});

test('a store stays near its limit, and keeps what was used last', async () => {
  const directory = await folder();
  const store = createFileStore({ directory, maxBytes: 1600 });
  const old = new Date('2020-01-01');
  for (let index = 0; index < 10; index++) {
    await writeFile(join(directory, `old-${index}`), 'x'.repeat(100));
    await utimes(join(directory, `old-${index}`), old, old);
  }

  await store.read('old-3');
  for (let index = 0; index < 15; index++) await store.write(`new-${index}`, 'x'.repeat(100));

  const names = await readdir(directory);
  expect(names.length).toBeLessThanOrEqual(17);
  expect(names).toEqual(expect.arrayContaining(['old-3', 'new-14', 'new-0']));
  await rm(directory, { recursive: true });
});

test('a store clears away what a killed process left half-written', async () => {
  const directory = await folder();
  await mkdir(directory, { recursive: true });
  const half = join(directory, 'a.0123.partial');
  await writeFile(half, 'ha');
  await utimes(half, new Date('2020-01-01'), new Date('2020-01-01'));

  await createFileStore({ directory, maxBytes: 1000 }).write('b', 'whole');

  expect(await readdir(directory)).toEqual(['b']);
  await rm(directory, { recursive: true });
});
