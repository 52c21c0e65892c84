import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf, hexOf } from '../../src/domain/digest.ts';
import type { PackageState } from '../../src/domain/packages/state.ts';
import type { ListedArchives } from '../../src/packages/archives.ts';
import { createListFolders } from '../../src/packages/list-folders.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-lists-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const HOUR = 3600_000;
const state: PackageState = {
  ...{
    manager: 'apt',
    os: { id: 'debian' },
    architecture: 'amd64',
    installed: [],
    files: {},
    digest: digestOf('base'),
  },
};

/** Archives whose lists are one file with the edition. */
function archivesAt(edition: { text: string; writes: number }): ListedArchives {
  return {
    async lists(_states, folder) {
      edition.writes += 1;
      await mkdir(join(folder, 'partial'), { recursive: true });
      await writeFile(join(folder, 'InRelease'), edition.text);
      return digestOf(edition.text);
    },
  };
}

test('writes the lists of the same images once, until they may have moved', async () => {
  const edition = { text: 'first', writes: 0 };
  let time = 0;
  const lists = createListFolders({ archives: archivesAt(edition), directory, now: () => time });

  const taken = await Promise.all([lists.take([state], {}), lists.take([state], {})]);
  edition.text = 'second';
  const soon = await lists.take([state], {});
  time = HOUR;
  const later = await lists.take([state], {});

  expect([...taken, soon, later]).toEqual(['first', 'first', 'first', 'second'].map((text) => digestOf(text)));
  expect(edition.writes).toBe(2);
});

test('keeps an earlier state while runs may use it, and removes what nobody used for a day', async () => {
  const edition = { text: 'first', writes: 0 };
  let time = Date.now();
  const lists = createListFolders({ archives: archivesAt(edition), directory, now: () => time });
  const first = await lists.take([state], {});
  edition.text = 'second';
  time += HOUR;
  const second = await lists.take([state], {});

  expect(await lists.find(first)).toBe(join(directory, hexOf(first)));
  expect(await lists.find(digestOf('never'))).toBeUndefined();
  time += 25 * HOUR;
  await lists.find(second);
  edition.text = 'third';
  const third = await lists.take([state], {});

  expect((await readdir(directory)).sort()).toEqual([hexOf(second), hexOf(third)].sort());
});

test('leaves nothing behind when the archives cannot be asked, and asks again', async () => {
  const edition = { text: 'first', writes: 0 };
  const working = archivesAt(edition);
  let isDown = true;
  const apt: ListedArchives = {
    lists: (...asked) => (isDown ? Promise.reject(new Error('down')) : working.lists(...asked)),
  };
  const lists = createListFolders({ archives: apt, directory, now: Date.now });

  await expect(lists.take([state], {})).rejects.toThrow('down');
  isDown = false;

  expect(await lists.take([state], {})).toBe(digestOf('first'));
  expect(await readdir(directory)).toEqual([hexOf(digestOf('first'))]);
});
