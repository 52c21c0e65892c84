import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLogFile } from '../../src/embedded/log-file.ts';
import { temporaryDirectory } from './support.ts';

let path: string;
let remove: () => Promise<void>;

beforeEach(async () => {
  const directory = await temporaryDirectory();
  path = join(directory.path, 'logs', 'part.log');
  remove = directory.remove;
});

afterEach(() => remove());

test('a log never takes more than twice its cap', async () => {
  const log = openLogFile(path, 1_000);

  for (let line = 0; line < 100; line++) log.write(Buffer.from(`line ${line}`.padEnd(99).concat('\n')));
  log.close();

  expect((await stat(path)).size).toBeLessThanOrEqual(1_000);
  expect((await stat(`${path}.1`)).size).toBeLessThanOrEqual(1_000);
  expect(await readFile(path, 'utf8')).toContain('line 99');
});

test('goes on where an earlier log ended, and tells only its own last lines', async () => {
  const first = openLogFile(path);
  first.write(Buffer.from('before\n'));
  first.close();

  const second = openLogFile(path);
  second.write(Buffer.from('after\n'));
  second.close();

  expect(await readFile(path, 'utf8')).toBe('before\nafter\n');
  expect(second.tail()).toBe('after');
});

test('what comes after the end is not written, and harms nothing', async () => {
  const log = openLogFile(path);
  log.write(Buffer.from('in time\n'));
  log.close();

  log.write(Buffer.from('too late\n'));
  log.close();

  expect(await readFile(path, 'utf8')).toBe('in time\n');
  expect(log.tail()).toBe('in time\ntoo late');
});
