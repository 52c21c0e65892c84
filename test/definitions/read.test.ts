import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readFleet, readFleetFiles } from '../../src/definitions/read.ts';

const ROOT = join(import.meta.dirname, '../..');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-read-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(path: string, text: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text, { mode });
}

test('the sample fleet is without mistakes, parents first', async () => {
  const fleet = await readFleet(ROOT);

  expect(fleet.images.map(({ name, line, inputs }) => [name, line, inputs.map(({ written }) => written)])).toEqual([
    ['debian', '12', ['debian:12-slim']],
    ['python', '3.11', ['golden/debian']],
    ['static', '1', ['golden/debian']],
  ]);
  for (const image of fleet.images) {
    expect(image.owners.length).toBeGreaterThan(0);
    expect(image.smoke).toBeDefined();
  }
});

test('a folder without ingot.yaml is answered with the way to get one', async () => {
  await expect(readFleet(folder)).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('"ingot init"'),
  });
});

test('a fleet without images is a mistake', async () => {
  await write('ingot.yaml', 'fleet: acme\n');

  await expect(readFleet(folder)).rejects.toThrow('images: there is no image in this folder; "ingot init"');
});

test('links are not followed, wherever they lead', async () => {
  await write('ingot.yaml', 'fleet: acme\n');
  await write('images/a/image.yaml', 'line: "1"\nfrom: debian:12\nuser: 1\n');
  await symlink('/etc', join(folder, 'images/a/files'));
  await symlink('/etc', join(folder, 'images/b'));

  const { mistakes, images } = await readFleetFiles(folder);

  expect(mistakes?.map(({ file }) => file)).toEqual(['images/a/files', 'images/b']);
  expect(Object.keys(images[0]!.files)).toEqual(['image.yaml']);
});

test('files have digests and modes, and no size that a text never has', async () => {
  await write('ingot.yaml', 'fleet: acme\n');
  await write('images/a/context/run', 'x', 0o755);
  await write('images/a/context/values.yaml', '{{ not yaml }}');
  await write('images/a/image.yaml', '#'.repeat(1024 * 1024 + 1));

  const { mistakes, images } = await readFleetFiles(folder);

  expect(images[0]).toMatchObject({
    texts: {},
    files: {
      'context/run': {
        executable: true,
        digest: 'sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
      },
      'context/values.yaml': { executable: false },
    },
  });
  expect(mistakes).toEqual([
    expect.objectContaining({ file: 'images/a/image.yaml', message: 'it is too large (1048577 bytes)' }),
  ]);
});
