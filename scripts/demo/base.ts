import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';
import type { DebianMirrors } from './apt-sources.ts';

export const SUITE = 'bookworm';

/** What upstream published on one night. */
export interface BaseEdition {
  readonly name: string;
  /** Seconds since the epoch: times of files, and the image's `created`. */
  readonly epoch: number;
  readonly suites: readonly ('main' | 'updates' | 'security')[];
  /** Packages beside those that a base has. */
  readonly include?: readonly string[];
}

/**
 * Makes the root file system of a Debian base from the distribution's own packages (mmdebstrap), or takes the one
 * made earlier. Returns the path of the tar.
 */
export async function makeBase(
  edition: BaseEdition,
  architecture: string,
  options: { mirrors: DebianMirrors; cache: string },
): Promise<string> {
  const tar = join(options.cache, `${SUITE}-${edition.name}-${architecture}.tar`);
  if (await exists(tar)) return tar;
  await mkdir(options.cache, { recursive: true });
  const partial = `${tar}.partial.tar`;
  await rm(partial, { force: true });
  const env = { SOURCE_DATE_EPOCH: String(edition.epoch), LC_ALL: 'C.UTF-8' };
  const result = await exec('mmdebstrap', mmdebstrapArgs(edition, architecture, partial, options.mirrors), { env });
  if (result.exitCode !== 0) {
    throw new Error(
      `mmdebstrap could not make the ${architecture} base:\n${result.stderr.split('\n').slice(-12).join('\n')}`,
    );
  }
  await rename(partial, tar);
  return tar;
}

export function mmdebstrapArgs(
  edition: BaseEdition,
  architecture: string,
  target: string,
  mirrors: DebianMirrors,
): string[] {
  const lines = edition.suites.map((suite) => sourceLine(suite, mirrors));
  const lean = ['--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/locale/*'];
  const clean = [
    '--customize-hook=rm -rf "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/* "$1"/var/log/*.log "$1"/var/log/apt/*',
  ];
  return [
    '--quiet',
    '--variant=apt',
    `--architectures=${architecture}`,
    '--format=tar',
    ...lean,
    ...clean,
    SUITE,
    target,
    ...lines,
  ];
}

function sourceLine(suite: BaseEdition['suites'][number], { main, security }: DebianMirrors): string {
  if (suite === 'security') return `deb ${security} ${SUITE}-security main`;
  return `deb ${main} ${suite === 'main' ? SUITE : `${SUITE}-updates`} main`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
