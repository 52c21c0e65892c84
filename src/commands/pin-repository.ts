import { createPinRules } from '../domain/bump/rules.ts';
import { DefinitionError } from '../domain/errors.ts';
import type { PinSettings } from '../domain/fleet/settings-pins.ts';
import type { PinFile } from '../flows/folder-pins.ts';
import { isRegular, readPinFile, readRepositoryFile } from '../flows/repository-rules.ts';
import type { ForgeRepository } from '../forge/forge.ts';
import { type PinFolder, unreadable } from './pin-folder.ts';

/** What can hold pins at the head of a downstream, as `readPinFolder` reads a working copy. */
export async function readPinRepository(
  repository: ForgeRepository,
  settings: readonly PinSettings[],
  signal: AbortSignal,
): Promise<PinFolder> {
  const { commit } = await repository.head({ signal });
  const all = (await repository.files(commit, { signal })).filter(isRegular);
  const read = await readRepositoryFile(repository, all, signal);
  if ('mistakes' in read) throw new DefinitionError(read.mistakes);
  const rules = createPinRules([...settings, read.settings]);
  const files: PinFile[] = [];
  const skipped: { path: string; why: string }[] = [];
  for (const file of all) {
    const { path } = file;
    if (rules.formatFor(path) === undefined) continue;
    const { size, content } = await readPinFile(repository, file, signal);
    const why = unreadable(size, content);
    if (why !== undefined) skipped.push({ path, why });
    else files.push({ path, content: content! });
  }
  return { rules, files, skipped };
}
