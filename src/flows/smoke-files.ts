import { posix } from 'node:path';
import type { Reference } from '../domain/reference.ts';
import type { ContentFacts, FileFacts } from '../domain/smoke/file.ts';
import { readTree } from '../image/files.ts';
import { lookup, resolvePath, type Tree, type TreeEntry } from '../image/tree.ts';
import type { Registry } from '../registry/registry.ts';

const MAX_FILE_BYTES = 8 * 1024 * 1024;

/** The files of an image as smoke tests see them. */
export interface ImageFiles {
  stat(path: string): FileFacts | undefined;
  content(path: string): ContentFacts;
}

/** Reads an image's tree with the content of some paths, wherever links lead from there. */
export async function readImageFiles(
  registry: Registry,
  image: Reference,
  { contents, signal }: { contents: readonly string[]; signal?: AbortSignal | undefined },
): Promise<ImageFiles> {
  const names = new Set(contents.map((path) => posix.basename(path)));
  // A layer may name a file by a path through a link: the last part is the same. What a link calls otherwise, and the
  // other names of a hard link, are known only after a first reading.
  const read = () =>
    readTree(registry, image, {
      wanted: (path) => names.has(posix.basename(path)),
      maxFileBytes: MAX_FILE_BYTES,
      signal,
    });
  const tree = await read();
  const missing = contents.map((path) => lookup(tree, path)).filter(isUnread);
  if (missing.length === 0) return imageFiles(tree);
  for (const [path, entry] of tree) if (missing.includes(entry)) names.add(posix.basename(path));
  return imageFiles(await read());
}

function isUnread(entry: TreeEntry | undefined): entry is TreeEntry {
  return entry?.type === 'file' && entry.content === undefined && entry.size <= MAX_FILE_BYTES;
}

function imageFiles(tree: Tree): ImageFiles {
  return {
    stat(path) {
      const parent = resolvePath(tree, posix.dirname(path));
      if (parent === undefined) return undefined;
      const real = posix.join(parent, posix.basename(path));
      return tree.get(real) ?? impliedDirectory(tree, real);
    },
    content(path) {
      const entry = lookup(tree, path);
      if (entry === undefined) return { missing: 'nothing' };
      if (entry.content !== undefined) return { content: entry.content };
      return { missing: entry.type === 'file' ? `more than ${MAX_FILE_BYTES} bytes` : `a ${entry.type}` };
    },
  };
}

/** The root, and folders that no layer lists although something is in them: runtimes make them so. */
function impliedDirectory(tree: Tree, path: string): FileFacts | undefined {
  const prefix = path === '/' ? '/' : `${path}/`;
  const implied = path === '/' || [...tree.keys()].some((other) => other.startsWith(prefix));
  return implied ? { type: 'directory', mode: 0o755, uid: 0, gid: 0 } : undefined;
}
