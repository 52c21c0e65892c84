import { existsSync } from 'node:fs';
import Table from 'cli-table3';
import {
  bundledNode,
  compareVersions,
  describeRange,
  findOnPath,
  isExecutable,
  isSupported,
  type Part,
  parts,
  toolsDirectory,
} from '../../scripts/parts.mjs';
import { KNOWN_PLATFORMS, type Platform } from '../domain/platform.ts';
import { type Emulation, ensureEmulation } from '../embedded/binfmt.ts';
import { childEnvironment, exec } from '../lib/exec.ts';

/** One thing that ingot needs, as it is on this machine. */
export interface Finding {
  readonly name: string;
  readonly purpose: string;
  /** Only tests need it. */
  readonly optional: boolean;
  readonly ok: boolean;
  readonly where?: string;
  readonly version?: string;
  /** What is wrong, and how to change it. */
  readonly why?: string;
  readonly remedy?: string;
}

export interface DoctorReport {
  /** Whether everything is there that is not optional. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

export interface DoctorOptions {
  readonly path?: string;
  readonly parts?: readonly Part[];
  readonly emulation?: (platform: Platform) => Promise<Emulation>;
}

/**
 * Looks for each part: found, where, which version, what for, how to get it. Installs nothing; an emulator that is
 * installed is registered, as a run would do it.
 */
export async function doctorReport(options: DoctorOptions = {}): Promise<DoctorReport> {
  const path = options.path ?? childEnvironment().PATH ?? '';
  const emulation = options.emulation ?? ensureEmulation;
  const findings = await Promise.all([
    findNode(),
    ...['setpriv', 'unshare', 'flock'].map((name) => findUtility(name, path)),
    ...(options.parts ?? parts).map((part) => findPart(part, path)),
    ...KNOWN_PLATFORMS.map(async (platform) => describePlatform(platform, await emulation(platform))),
  ]);
  return { ok: findings.every(({ ok, optional }) => ok || optional), findings };
}

/** `ingot doctor`: 0 when everything is there, else 1. */
export async function runDoctor(
  { json, print }: { json: boolean; print: (text: string) => void },
  options: DoctorOptions = {},
): Promise<number> {
  const report = await doctorReport(options);
  print(json ? JSON.stringify(report, null, 2) : formatReport(report));
  return report.ok ? 0 : 1;
}

async function findNode(): Promise<Finding> {
  const about = { name: 'node', purpose: 'runs ingot', optional: false };
  const version = process.versions.node;
  const here = { ...about, where: process.execPath, version };
  if (compareVersions(version, '24') >= 0) return { ...here, ok: true };
  const remedy = bundledNode() === undefined ? 'npm ci' : 'start ingot as "npx --no ingot"';
  return { ...here, ok: false, why: 'needs >=24', remedy };
}

async function findUtility(name: string, path: string): Promise<Finding> {
  const where = findOnPath(name, path);
  const about = { name, purpose: 'keeps embedded parts from outliving ingot', optional: false };
  if (where === undefined) return { ...about, ok: false, why: 'not found', remedy: 'apt-get install -y util-linux' };
  return { ...about, ok: true, where };
}

async function findPart(part: Part, path: string): Promise<Finding> {
  const optional = !part.groups.includes('start');
  const about = { name: part.name, purpose: part.purpose, optional };
  const remedy = `node scripts/setup.mjs ${optional ? 'test' : 'demo'}`;
  const where = locate(part, path);
  if (where === undefined) return { ...about, ok: false, why: 'not found', remedy };
  const version = await versionOf(part, where);
  const here = { ...about, where, ...(version !== undefined && { version }) };
  if (isSupported(version, part.versions)) return { ...here, ok: true };
  return { ...here, ok: false, why: `needs ${describeRange(part.versions)}`, remedy };
}

function locate({ name, file, own }: Part, path: string): string | undefined {
  if (file !== undefined) return existsSync(file) ? file : undefined;
  const installed = `${toolsDirectory}/${name}`;
  if (isExecutable(installed)) return installed;
  return own ? undefined : findOnPath(name, path);
}

async function versionOf({ versions, apt }: Part, where: string): Promise<string | undefined> {
  const [program, args] = versions
    ? [where, versions.args]
    : ['dpkg-query', ['--show', '--showformat', `\${Version}`, apt ?? '']];
  if (versions === undefined && apt === undefined) return undefined;
  const result = await exec(program, args, { timeout: 20_000 }).catch(() => undefined);
  if (result === undefined) return undefined;
  if (versions === undefined) return result.stdout.toString('utf8') || undefined;
  return `${result.stdout.toString('utf8')}\n${result.stderr}`.match(versions.pattern)?.[1];
}

function describePlatform(platform: Platform, emulation: Emulation): Finding {
  const about = { name: platform, purpose: `builds and tests for ${platform}`, optional: false };
  if (emulation.ready) return { ...about, ok: true };
  return { ...about, ok: false, why: emulation.why, remedy: emulation.remedy };
}

const LINES = ['top', 'bottom', 'left', 'right'].flatMap((side) => [
  side,
  `${side}-mid`,
  `${side}-left`,
  `${side}-right`,
]);
const NO_LINES = { ...Object.fromEntries([...LINES, 'mid', 'mid-mid'].map((name) => [name, ''])), middle: ' ' };

/** A table of what is there, then one line for each that is not. */
export function formatReport({ findings }: DoctorReport): string {
  const head = ['', 'part', 'version', 'what for', 'where'];
  const table = new Table({ head, chars: NO_LINES, style: { head: [], border: [], 'padding-left': 0 } });
  for (const { ok, optional, name, version = '', purpose, where = '' } of findings) {
    table.push([ok ? 'ok' : optional ? '-' : '!!', name, version, purpose, where]);
  }
  const wrong = findings.filter(({ ok }) => !ok);
  const lines = wrong.map(
    ({ name, why, remedy, optional }) => `${name}: ${why}${optional ? ' (only tests need it)' : ''}\n  -> ${remedy}`,
  );
  return [table.toString(), ...(lines.length > 0 ? lines : ['everything is there'])].join('\n');
}
