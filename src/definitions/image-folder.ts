import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../domain/digest.ts';
import type { Mistake } from '../domain/errors.ts';
import type { ContentFile, ImageFiles } from '../domain/fleet/files.ts';

const MAX_FILES = 20_000;
const MAX_FILE_BYTES = 1024 ** 3;

export interface ReadFolder {
  readonly content: Pick<ImageFiles, 'texts' | 'files'>;
  readonly mistakes: readonly Mistake[];
}

/**
 * Reads one folder of images/: the digest of each file, and the text of those that say something to ingot. Links are
 * not followed, they could lead anywhere.
 * @param path as messages name the folder
 */
export async function readImageFolder(folder: string, path: string, maxTextBytes: number): Promise<ReadFolder> {
  const texts: Record<string, string> = {};
  const files: Record<string, ContentFile> = {};
  const mistakes: Mistake[] = [];
  const found = await listFiles(folder, '', path, mistakes);
  if (found.length > MAX_FILES)
    mistakes.push({ file: path, message: `it holds ${found.length} files`, remedy: `keep at most ${MAX_FILES}` });
  for (const name of found.slice(0, MAX_FILES)) {
    const file = join(folder, name);
    const { size, mode } = await lstat(file);
    const isText = hasText(name);
    if (size > (isText ? maxTextBytes : MAX_FILE_BYTES)) {
      mistakes.push({
        file: `${path}/${name}`,
        message: `it is too large (${size} bytes)`,
        remedy: 'fetch it in the build instead',
      });
      continue;
    }
    if (isText) texts[name] = await readFile(file, 'utf8');
    files[name] = { digest: await digestOfFile(file), executable: (mode & 0o100) !== 0 };
  }
  return { content: { texts, files }, mistakes };
}

/** The Dockerfile and every YAML file that is not content. */
function hasText(name: string): boolean {
  return name === 'Dockerfile' || (/\.ya?ml$/.test(name) && !name.startsWith('context/') && !name.startsWith('files/'));
}

async function listFiles(folder: string, prefix: string, path: string, mistakes: Mistake[]): Promise<string[]> {
  if (prefix === '' && (await lstat(folder)).isSymbolicLink()) {
    mistakes.push(notFollowed(path));
    return [];
  }
  const entries = await readdir(join(folder, prefix), { withFileTypes: true });
  const names: string[] = [];
  for (const entry of entries.sort(byName)) {
    const name = `${prefix}${entry.name}`;
    if (entry.isFile()) names.push(name);
    else if (entry.isDirectory()) names.push(...(await listFiles(folder, `${name}/`, path, mistakes)));
    else mistakes.push(notFollowed(`${path}/${name}`));
  }
  return names;
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1;
}

function notFollowed(file: string): Mistake {
  return {
    file,
    message: 'this is neither a file nor a folder, and links are not followed',
    remedy: 'put the file itself there; make links in the Dockerfile',
  };
}

async function digestOfFile(file: string): Promise<Digest> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest('hex')}`;
}
