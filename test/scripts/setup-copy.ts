import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A copy of what set-up needs, and a PATH that holds only the programs that a test puts there. */
export interface SetupCopy {
  readonly folder: string;
  /** A program as a shell script; `undefined` takes it away. */
  program(name: string, script: string | undefined): Promise<void>;
  run(group: string, options?: { uid?: number }): Promise<Outcome>;
  file(path: string): Promise<string | undefined>;
  remove(): Promise<void>;
}

export async function copySetup(): Promise<SetupCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-setup-'));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await chmod(folder, 0o755);
  await cp(join(ROOT, 'scripts'), join(folder, 'scripts'), { recursive: true });
  await cp(join(ROOT, 'tools'), join(folder, 'tools'), { recursive: true });
  await cp(join(ROOT, 'package-lock.json'), join(folder, 'package-lock.json'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    program: async (name, script) => {
      if (script === undefined) return rm(join(bin, name), { force: true });
      await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    },
    run: (group, { uid } = {}) =>
      new Promise((resolve) => {
        const env = { PATH: bin, HOME: folder, FOLDER: folder };
        const options = { env, cwd: folder, ...(uid !== undefined && { uid, gid: uid }) };
        const child = execFile(
          process.execPath,
          [join(folder, 'scripts', 'setup.mjs'), group],
          options,
          (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
        );
      }),
    file: (path) => readFile(join(folder, path), 'utf8').catch(() => undefined),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
