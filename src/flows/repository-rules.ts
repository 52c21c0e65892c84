import { parseRepositoryFile, REPOSITORY_FILE } from '../domain/bump/rules.ts';
import type { ForgeRepository, RepositoryFile } from '../forge/forge.ts';

/** Larger files hold no pins that anybody wrote. */
export const MAX_PIN_FILE_BYTES = 5 * 1024 * 1024;

/** A file's size and, unless it is too large, its bytes. Not every forge lists sizes: then only reading tells. */
export async function readPinFile(
  repository: ForgeRepository,
  file: RepositoryFile,
  signal: AbortSignal,
): Promise<{ readonly size: number; readonly content?: Uint8Array }> {
  if (file.size !== undefined && file.size > MAX_PIN_FILE_BYTES) return { size: file.size };
  const content = await repository.read(file, { signal });
  const size = content.length;
  return size > MAX_PIN_FILE_BYTES ? { size } : { size, content };
}

/** Links and submodules are none. */
export function isRegular({ mode }: RepositoryFile): boolean {
  return mode.startsWith('100');
}

/** What a repository itself says of its pins, in the .ingot.yaml at its top; nothing where there is none. */
export async function readRepositoryFile(
  repository: ForgeRepository,
  files: readonly RepositoryFile[],
  signal: AbortSignal,
): Promise<ReturnType<typeof parseRepositoryFile>> {
  const own = files.find((file) => file.path === REPOSITORY_FILE && isRegular(file));
  return parseRepositoryFile(
    own === undefined ? '' : Buffer.from(await repository.read(own, { signal })).toString('utf8'),
  );
}
