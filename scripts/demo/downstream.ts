import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';

/** A repository of an application team, as a forge keeps it: bare, with one commit on `main`. */
export async function makeDownstream(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const work = `${folder}.work`;
  await rm(folder, { recursive: true, force: true });
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(work, path, '..'), { recursive: true });
    await writeFile(join(work, path), text);
  }
  await git(work, 'init', '--quiet', '--initial-branch=main');
  await git(work, 'add', '--all');
  await git(
    work,
    '-c',
    'user.name=Team Shop',
    '-c',
    'user.email=shop@example.org',
    'commit',
    '--quiet',
    '-m',
    'Add the shop',
  );
  await git(work, 'clone', '--quiet', '--bare', work, folder);
  await rm(work, { recursive: true, force: true });
}

async function git(cwd: string, ...args: string[]): Promise<void> {
  const result = await exec('git', args, { cwd, env: { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' } });
  if (result.exitCode !== 0) throw new Error(`git ${args[0]} failed: ${result.stderr.trim()}`);
}

/** What the team has in its repository: an application and a job, both on pinned golden images. */
export function shopFiles(pins: { python: string; static: string }): Readonly<Record<string, string>> {
  return {
    Dockerfile: `# The shop's web service\nFROM ${pins.python}\nCOPY app.py /srv/app.py\nENTRYPOINT ["python3", "/srv/app.py"]\n`,
    'jobs/report/Dockerfile': `ARG BASE=${pins.static}\nFROM \${BASE}\nCOPY report /report\nENTRYPOINT ["/report"]\n`,
    'app.py': 'print("shop")\n',
    'jobs/report/report': '#!/bin/true\n',
    'README.md': '# Shop\n\nBuilt FROM golden images.\n',
  };
}
