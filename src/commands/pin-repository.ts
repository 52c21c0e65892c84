import { createPinRules, parseRepositoryFile, REPOSITORY_FILE } from '../domain/bump/rules.ts';
import { DefinitionError } from '../domain/errors.ts';
import type { PinSettings } from '../domain/fleet/settings-pins.ts';
import type { PinFile } from '../flows/folder-pins.ts';
import type { ForgeRepository } from '../forge/forge.ts';
import { MAX_PIN_FILE_BYTES, type PinFolder, unreadable } from './pin-folder.ts';

/** What can hold pins at the head of a downstream, as `readPinFolder` reads a working copy. */
export async function readPinRepository(
  repository: ForgeRepository,
  settings: readonly PinSettings[],
  signal: AbortSignal,
): Promise<PinFolder> {
  const { commit } = await repository.head({ signal });
  const all = (await repository.files(commit, { signal })).filter(({ mode }) => mode.startsWith('100'));
  const own = all.find(({ path }) => path === REPOSITORY_FILE);
  const read = parseRepositoryFile(
    own === undefined ? '' : Buffer.from(await repository.read(own, { signal })).toString('utf8'),
  );
  if ('mistakes' in read) throw new DefinitionError(read.mistakes);
  const rules = createPinRules([...settings, read.settings]);
  const files: PinFile[] = [];
  const skipped: { path: string; why: string }[] = [];
  for (const file of all) {
    const { path, size } = file;
    if (rules.formatFor(path) === undefined) continue;
    const whole = (size ?? 0) > MAX_PIN_FILE_BYTES ? undefined : await repository.read(file, { signal });
    const content = whole !== undefined && whole.length <= MAX_PIN_FILE_BYTES ? whole : undefined;
    const why = unreadable(size ?? whole!.length, content);
    if (why !== undefined) skipped.push({ path, why });
    else files.push({ path, content: content! });
  }
  return { rules, files, skipped };
}
