import { constants } from 'node:fs';
import { lstat, open, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createPinRules, type PinRules, parseRepositoryFile, REPOSITORY_FILE } from '../domain/bump/rules.ts';
import { DefinitionError, FactoryError } from '../domain/errors.ts';
import type { PinSettings } from '../domain/fleet/settings-pins.ts';
import type { PinFile } from '../flows/folder-pins.ts';
import { MAX_PIN_FILE_BYTES } from '../flows/repository-rules.ts';

/** Of others, and of no git repository. */
const SKIPPED = new Set(['.git', 'node_modules']);

/** A folder with files that may hold pins. */
export interface PinFolder {
  readonly rules: PinRules;
  /** By path. */
  readonly files: readonly PinFile[];
  /** What was not read although it could hold pins, and why. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[];
}

/**
 * Reads what can hold pins below a folder. Links are not followed, wherever they lead.
 * @throws DefinitionError when the folder's own .ingot.yaml has mistakes
 */
export async function readPinFolder(folder: string, settings: readonly PinSettings[]): Promise<PinFolder> {
  const root = resolve(folder);
  const found = await lstat(root).catch(() => undefined);
  if (found === undefined || !found.isDirectory())
    throw new FactoryError(`${folder} is no folder; name the one that holds the repository`, { code: 'usage' });
  const rules = createPinRules([...settings, await readOwnSettings(root)]);
  const files: PinFile[] = [];
  const skipped: { path: string; why: string }[] = [];
  for (const path of await pathsBelow(root, '')) {
    if (rules.formatFor(path) === undefined) continue;
    const { size } = await lstat(join(root, path));
    const content = size > MAX_PIN_FILE_BYTES ? undefined : await readFile(join(root, path));
    const why = unreadable(size, content);
    if (why !== undefined) skipped.push({ path, why });
    else files.push({ path, content: content! });
  }
  return { rules, files, skipped };
}

/** Why a file is not read. */
export function unreadable(size: number, content: Uint8Array | undefined): string | undefined {
  if (content === undefined) return `${size} bytes are too many for what it is`;
  return content.subarray(0, 8192).includes(0) ? 'it is no text' : undefined;
}

/** Overwrites a file that was read, its mode kept. A link that took its place meanwhile is not followed. */
export async function writePinFile(folder: string, path: string, content: Uint8Array): Promise<void> {
  const file = await open(join(resolve(folder), path), constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    await file.truncate(0);
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}

async function readOwnSettings(root: string): Promise<PinSettings> {
  const file = join(root, REPOSITORY_FILE);
  const found = await lstat(file).catch(() => undefined);
  const read = parseRepositoryFile(found?.isFile() === true ? await readFile(file, 'utf8') : '');
  if ('mistakes' in read) throw new DefinitionError(read.mistakes);
  return read.settings;
}

async function pathsBelow(root: string, below: string): Promise<string[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  const paths: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isFile()) paths.push(path);
    else if (entry.isDirectory() && !SKIPPED.has(entry.name)) paths.push(...(await pathsBelow(root, path)));
  }
  return paths;
}
