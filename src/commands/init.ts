import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { FactoryError } from '../domain/errors.ts';
import { DEBIAN_IMAGE, DEBIAN_SMOKE, PACKAGES, settingsTemplate } from './init-files.ts';

export interface InitOptions {
  /** Default: the current folder. */
  readonly directory?: string | undefined;
  readonly print: (line: string) => void;
}

/**
 * `ingot init [DIR]`: writes a commented ingot.yaml and a first image. What is there already stays as it is.
 * @returns the exit code
 */
export async function init({ directory = '.', print }: InitOptions): Promise<number> {
  const root = resolve(directory);
  const files = {
    'ingot.yaml': settingsTemplate(fleetName(root)),
    'images/packages.yaml': PACKAGES,
    'images/debian/image.yaml': DEBIAN_IMAGE,
    'images/debian/smoke.yaml': DEBIAN_SMOKE,
  };
  let written = 0;
  for (const [path, content] of Object.entries(files)) {
    const isNew = await writeNew(join(root, path), content);
    print(`${isNew ? 'wrote' : 'kept '} ${path}${isNew ? '' : ' (it was there already)'}`);
    if (isNew) written += 1;
  }
  for (const line of nextSteps(directory, written > 0)) print(line);
  return 0;
}

/** The folder's name, as far as it can be one. */
function fleetName(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'acme' : name;
}

async function writeNew(path: string, content: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true }).catch(fail(path));
  return writeFile(path, content, { flag: 'wx' }).then(
    () => true,
    (error) => (error.code === 'EEXIST' ? false : fail(path)(error)),
  );
}

function fail(path: string): (cause: NodeJS.ErrnoException) => never {
  return (cause) => {
    const message = `${path} cannot be written (${cause.code}); choose a folder that you may write to`;
    throw new FactoryError(message, { code: 'usage', cause });
  };
}

function nextSteps(directory: string, isNew: boolean): string[] {
  if (!isNew) return ['', 'Everything was there already; nothing was changed.'];
  return [
    '',
    'Next:',
    ...(directory === '.' ? [] : [`  cd ${directory}`]),
    '  ingot render debian   # the Dockerfile that will be built',
    '  ingot plan            # what would be built, and why',
    '  ingot run             # build, test, scan, sign and release it, into a registry on this machine',
    '',
    'Then set "registry:" in ingot.yaml to your own, and add .ingot/ to .gitignore.',
  ];
}
