import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatFor } from '../../src/domain/bump/formats.ts';
import { formatReference, parseReference } from '../../src/domain/reference.ts';
import { exec } from '../../src/lib/exec.ts';

/** What one finder says: `path reference`, each as often as it stands there. */
export interface Found {
  readonly pins: readonly string[];
  readonly ms: number;
}

export async function withIngot(folder: string): Promise<Found> {
  const paths = (await git(folder, 'ls-files', '-z')).split('\0').filter(Boolean);
  const started = performance.now();
  const pins: string[] = [];
  for (const path of paths) {
    const format = formatFor(path);
    if (format === undefined) continue;
    for (const { reference } of format.findPins(await readFile(join(folder, path)), () => true))
      pins.push(`${path} ${formatReference(reference)}`);
  }
  return { pins, ms: performance.now() - started };
}

interface Dependency {
  readonly datasource?: string;
  readonly depName?: string;
  readonly packageName?: string;
  readonly currentValue?: string;
  readonly currentDigest?: string;
}

/** Kinds of files that Renovate only looks for when it is told where: told as its users do. */
const YAML = { managerFilePatterns: ['/\\.ya?ml$/'] };
const CONFIG = { requireConfig: 'optional', onboarding: false, kubernetes: YAML, tekton: YAML };

/** Renovate's own extraction, without a look-up: `--platform=local --dry-run=extract`. @param renovate its folder */
export async function withRenovate(folder: string, renovate: string): Promise<Found> {
  const env = { LOG_LEVEL: 'debug', LOG_FORMAT: 'json', RENOVATE_CONFIG: JSON.stringify(CONFIG) };
  const args = [join(renovate, 'node_modules/renovate/dist/renovate.js'), '--platform=local', '--dry-run=extract'];
  const started = performance.now();
  const { stdout } = await exec(process.execPath, args, { cwd: folder, env });
  const ms = performance.now() - started;
  const line = stdout
    .toString('utf8')
    .split('\n')
    .find((each) => each.includes('"msg":"Extracted dependencies"'));
  if (line === undefined) throw new Error('Renovate extracted nothing');
  const { packageFiles } = JSON.parse(line) as {
    packageFiles: Record<string, { packageFile: string; deps: Dependency[] }[]>;
  };
  const pins = Object.values(packageFiles)
    .flat()
    .flatMap(({ packageFile, deps }) => deps.flatMap((dependency) => toPin(packageFile, dependency) ?? []));
  return { pins, ms };
}

function toPin(path: string, dependency: Dependency): string | undefined {
  const { datasource, depName, packageName, currentValue, currentDigest } = dependency;
  if (datasource !== 'docker' || depName === undefined) return undefined;
  const text = `${packageName ?? depName}${currentValue ? `:${currentValue}` : ''}${currentDigest ? `@${currentDigest}` : ''}`;
  return `${path} ${normal(text)}`;
}

function normal(text: string): string {
  try {
    return formatReference(parseReference(text));
  } catch {
    return text;
  }
}

export async function git(cwd: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await exec('git', args, { cwd });
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.toString('utf8');
}
