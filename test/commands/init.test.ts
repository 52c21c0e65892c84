import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { init } from '../../src/commands/init.ts';
import { readFleet } from '../../src/definitions/read.ts';

let folder: string;
let printed: string[];
const print = (line: string) => void printed.push(line);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'My Fleet-'));
  printed = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('what init writes is a fleet without mistakes', async () => {
  expect(await init({ directory: folder, print })).toBe(0);

  const fleet = await readFleet(folder);
  expect(fleet.settings.fleet).toMatch(/^my-fleet-/);
  expect(fleet.images.map(({ name, line }) => [name, line])).toEqual([['debian', '12']]);
  expect(fleet.images[0]?.smoke?.commandTests).toHaveLength(2);
  expect(printed.join('\n')).toMatch(/wrote ingot.yaml[\s\S]+ingot run/);
});

test('init never overwrites', async () => {
  await writeFile(join(folder, 'ingot.yaml'), 'fleet: mine\n');

  expect(await init({ directory: folder, print })).toBe(0);
  await init({ directory: folder, print });

  expect(await readFile(join(folder, 'ingot.yaml'), 'utf8')).toBe('fleet: mine\n');
  expect(printed[0]).toBe('kept  ingot.yaml (it was there already)');
  expect(printed.at(-1)).toBe('Everything was there already; nothing was changed.');
});

test('init in a place that cannot be written says which', async () => {
  await writeFile(join(folder, 'file'), '');

  await expect(init({ directory: join(folder, 'file'), print })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('file/ingot.yaml cannot be written'),
  });
});
