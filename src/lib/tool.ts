import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

const INSTALLED = join(import.meta.dirname, '..', '..', '.tools', 'bin');

/** Path of a program that set-up installed, else its name: then PATH decides, and exec says when it is missing. */
export function installedTool(name: string): string {
  const path = join(INSTALLED, name);
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return name;
  }
}
