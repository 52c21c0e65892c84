import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyContext } from '../../src/definitions/copy-context.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-context-'));
  await mkdir(join(folder, 'from/a/b'), { recursive: true });
  await writeFile(join(folder, 'from/a/b/text'), 'text');
  await writeFile(join(folder, 'from/run'), 'run');
  await chmod(join(folder, 'from/a/b/text'), 0o600);
  await chmod(join(folder, 'from/run'), 0o700);
  await chmod(join(folder, 'from/a'), 0o700);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const seen = async (path: string) => {
  const { mode, mtimeMs } = await stat(join(folder, path));
  return [(mode & 0o7777).toString(8), mtimeMs];
};

test('modes and times of the copy depend on nothing but the executable bit, the content and the epoch', async () => {
  await copyContext({ from: join(folder, 'from'), to: join(folder, 'to'), epoch: 1_500_000_000 });
  await copyContext({ from: join(folder, 'from'), to: join(folder, 'again'), epoch: 1_500_000_000 });

  for (const path of ['a/b/text', 'run']) expect(await seen(`again/${path}`)).toEqual(await seen(`to/${path}`));
  const [[textMode, textTime], [runMode, runTime]] = [await seen('to/a/b/text'), await seen('to/run')];
  expect([textMode, runMode]).toEqual(['644', '755']);
  expect(textTime).not.toBe(runTime);
  for (const time of [textTime, runTime]) expect(time).toBeGreaterThan(1_500_000_000_000);
  for (const path of ['to', 'to/a', 'to/a/b']) expect(await seen(path)).toEqual(['755', 1_500_000_000_000]);
  expect(await readFile(join(folder, 'to/a/b/text'), 'utf8')).toBe('text');
});

test('only what is named is copied', async () => {
  await copyContext({ from: join(folder, 'from'), to: join(folder, 'to'), paths: ['a/b/text'], epoch: 1 });

  await expect(stat(join(folder, 'to/run'))).rejects.toThrow('ENOENT');
  expect((await seen('to/a/b/text'))[0]).toBe('644');
});

test('a folder that is not there is an empty context', async () => {
  await copyContext({ from: join(folder, 'none'), to: join(folder, 'to'), epoch: 1 });

  expect(await seen('to')).toEqual(['755', 1000]);
});

test('links are left out', async () => {
  await symlink('/etc/passwd', join(folder, 'from/link'));

  await copyContext({ from: join(folder, 'from'), to: join(folder, 'to'), epoch: 1 });

  await expect(stat(join(folder, 'to/link'))).rejects.toThrow('ENOENT');
});
