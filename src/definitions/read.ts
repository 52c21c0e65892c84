import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DefinitionError, FactoryError, type Mistake } from '../domain/errors.ts';
import type { SourceText } from '../domain/fleet/document.ts';
import type { FleetFiles, ImageFiles } from '../domain/fleet/files.ts';
import type { Fleet } from '../domain/fleet/model.ts';
import { parseFleet } from '../domain/fleet/parse-fleet.ts';
import { readImageFolder } from './image-folder.ts';

/** More than any fleet file that a person wrote. */
const MAX_TEXT_BYTES = 1024 * 1024;

/**
 * Reads ingot.yaml and images/ below a folder.
 * @throws DefinitionError with every mistake at once; FactoryError `configuration` when there is no fleet at all
 */
export async function readFleet(root: string): Promise<Fleet> {
  return parseFleet(await readFleetFiles(root));
}

/** Whether a folder has a fleet, right or wrong. */
export async function hasFleet(root: string): Promise<boolean> {
  return (await stat(join(root, 'ingot.yaml')).catch(() => undefined)) !== undefined;
}

/** The same as plain data, not judged yet. */
export async function readFleetFiles(root: string): Promise<FleetFiles> {
  const folder = resolve(root);
  const settings = await readText(folder, 'ingot.yaml');
  if (settings === undefined) {
    throw new FactoryError(
      `there is no ingot.yaml in ${folder}; go to the folder that has one, or let "ingot init" write one`,
      {
        code: 'configuration',
      },
    );
  }
  const packages = await readText(folder, 'images/packages.yaml');
  const mistakes: Mistake[] = [];
  const images: ImageFiles[] = [];
  for (const name of await imageNames(folder)) {
    const read = await readImageFolder(join(folder, 'images', name), `images/${name}`, MAX_TEXT_BYTES);
    mistakes.push(...read.mistakes);
    images.push({ name, folder: join(folder, 'images', name), path: `images/${name}`, ...read.content });
  }
  return { root: folder, settings, ...(packages === undefined ? {} : { packages }), images, mistakes };
}

async function readText(root: string, path: string): Promise<SourceText | undefined> {
  const file = join(root, path);
  const found = await stat(file).catch(ifMissing);
  if (found === undefined) return undefined;
  if (!found.isFile() || found.size > MAX_TEXT_BYTES)
    throw new DefinitionError([
      { file: path, message: 'this is no text file of at most 1 MiB', remedy: 'write a YAML file' },
    ]);
  return { path, text: await readFile(file, 'utf8') };
}

/** Folders, and links that stand for one: these are named as a mistake when they are read. */
async function imageNames(root: string): Promise<string[]> {
  const entries = (await readdir(join(root, 'images'), { withFileTypes: true }).catch(ifMissing)) ?? [];
  const folders = entries.filter(
    (entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'),
  );
  return folders.map(({ name }) => name).sort();
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw new FactoryError(`${error.path} cannot be read (${error.code})`, { code: 'configuration', cause: error });
}
