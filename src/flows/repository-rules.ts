import { parseRepositoryFile, REPOSITORY_FILE } from '../domain/bump/rules.ts';
import type { ForgeRepository, RepositoryFile } from '../forge/forge.ts';

/** Larger files hold no pins that anybody wrote. */
export const MAX_PIN_FILE_BYTES = 5 * 1024 * 1024;

/** A file's bytes, or its size where it is too large. Not every forge lists sizes: then only reading tells. */
export async function readPinFile(
  repository: ForgeRepository,
  file: RepositoryFile,
  signal: AbortSignal,
): Promise<{ readonly content: Uint8Array } | { readonly tooLarge: number }> {
  if ((file.size ?? 0) > MAX_PIN_FILE_BYTES) return { tooLarge: file.size! };
  const content = await repository.read(file, { signal });
  return content.length > MAX_PIN_FILE_BYTES ? { tooLarge: content.length } : { content };
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
