import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Finds the programs that ingot runs: those that set-up installed, else those on PATH. */
export type FindTool = (name: string) => Promise<string>;

export function createFindTool(options: { toolsDirectory: string; path: string }): FindTool {
  const folders = [options.toolsDirectory, ...options.path.split(delimiter).filter((folder) => folder !== '')];
  return async (name) => {
    for (const folder of folders) {
      const candidate = join(folder, name);
      if (await isExecutable(candidate)) return candidate;
    }
    return name; // exec says that it is not installed, when it is needed
  };
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(() => true, () => false);
}
