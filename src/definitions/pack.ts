import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { FactoryError } from '../domain/errors.ts';

/** One file of the definitions. */
export interface PackedFile {
  /** Relative to the folder of ingot.yaml. */
  readonly path: string;
  readonly executable: boolean;
  readonly content: Uint8Array;
}

/** More than this belongs into no folder of definitions: a build can fetch it. */
const MAX_BYTES = 200 * 1024 * 1024;

/** A tar archive that depends on the files alone: sorted, without times and owners. */
export async function packFiles(files: readonly PackedFile[]): Promise<Buffer> {
  const archive = pack();
  const chunks: Buffer[] = [];
  const ended = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Buffer);
  })();
  for (const { path, executable, content } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const header = { name: path, mode: executable ? 0o755 : 0o644, mtime: new Date(0) };
    archive.entry(header, Buffer.from(content));
  }
  archive.finalize();
  await ended;
  return promisify(gzip)(Buffer.concat(chunks), { level: 6 });
}

export async function unpackFiles(archive: Uint8Array): Promise<readonly PackedFile[]> {
  const reader = extract();
  reader.end(await promisify(gunzip)(archive, { maxOutputLength: 4 * MAX_BYTES }));
  const files: PackedFile[] = [];
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { name, mode = 0, type } = entry.header;
    if (type === 'file')
      files.push({ path: safePath(name), executable: (mode & 0o100) !== 0, content: Buffer.concat(chunks) });
  }
  return files;
}

/** Whoever may write to the registry decides what is built, and still nothing about files elsewhere on this machine. */
function safePath(path: string): string {
  const parts = path.split('/');
  if (!path.startsWith('/') && !parts.includes('..') && !parts.includes('')) return path;
  throw new FactoryError(`the definitions name the file "${path}", which would lie elsewhere`, { code: 'protocol' });
}

/** A file, or all files below a folder; links are no part of definitions. Absent: none. */
export async function readFiles(root: string, path: string): Promise<readonly PackedFile[]> {
  const found = await stat(join(root, path)).catch(() => undefined);
  if (found === undefined) return [];
  const paths = found.isFile() ? [path] : await filesBelow(root, path);
  const files: PackedFile[] = [];
  let size = 0;
  for (const each of paths) {
    const info = await stat(join(root, each));
    size += info.size;
    if (size > MAX_BYTES) throw tooLarge(path);
    files.push({ path: each, executable: (info.mode & 0o100) !== 0, content: await readFile(join(root, each)) });
  }
  return files;
}

async function filesBelow(root: string, path: string): Promise<string[]> {
  const entries = await readdir(join(root, path), { withFileTypes: true });
  const below = entries.map(async (entry) => {
    const name = `${path}/${entry.name}`;
    if (entry.isDirectory()) return filesBelow(root, name);
    return entry.isFile() ? [name] : [];
  });
  return (await Promise.all(below)).flat().sort();
}

function tooLarge(path: string): FactoryError<'configuration'> {
  return new FactoryError(`${path} holds more than ${MAX_BYTES / 1024 ** 2} MiB; fetch large files in the build`, {
    code: 'configuration',
  });
}
