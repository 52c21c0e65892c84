import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { digestOf } from '../../src/domain/digest.ts';
import type { PackageState } from '../../src/domain/packages/state.ts';
import { rpmReader } from '../../src/image/rpm-reader.ts';
import { exec } from '../../src/lib/exec.ts';
import type { TestArchive } from './apt-archive.ts';

export interface TestRpm {
  readonly name: string;
  /** `1:2.0~rc1-3`; the epoch may be missing. */
  readonly version: string;
  /** Default noarch. */
  readonly architecture?: string;
  /** Lines of a spec file. */
  readonly lines?: readonly string[];
}

/** What createrepo_c takes as an advisory. */
export interface TestAdvisory {
  readonly type: 'security' | 'bugfix';
  readonly packages: readonly TestRpm[];
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await exec(program, args, { timeout: 120_000 });
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}: ${stderr}`);
}

/** Path of a package as rpmbuild names it; equal ones are built once. */
function fileOf({ name, version, architecture = 'noarch' }: TestRpm): string {
  return `${name}-${version.replace(/^\d+:/, '')}.${architecture}.rpm`;
}

/** Builds packages with rpmbuild; returns the path of each. */
export async function buildRpms(directory: string, rpms: readonly TestRpm[]): Promise<(rpm: TestRpm) => string> {
  const out = join(directory, 'rpms');
  await mkdir(join(directory, 'specs'), { recursive: true });
  for (const [architecture, group] of Map.groupBy(rpms, ({ architecture = 'noarch' }) => architecture)) {
    const byKey = new Map(group.map((rpm) => [`${rpm.name} ${rpm.version}`, rpm]));
    const paths: string[] = [];
    for (const [key, rpm] of byKey) {
      const path = join(directory, 'specs', `${key.replaceAll(/[^\w.-]/g, '_')}-${paths.length}-${architecture}.spec`);
      await writeFile(path, specOf(rpm));
      paths.push(path);
    }
    const name = '%%{NAME}-%%{EPOCHNUM}_%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm';
    const defines = [`_topdir ${directory}/top`, `_rpmdir ${out}/${architecture}`, `_build_name_fmt ${name}`];
    const options = [...defines, '_build_id_links none'];
    const args = ['--quiet', '--target', architecture, ...options.flatMap((each) => ['--define', each])];
    await run('rpmbuild', [...args, '-bb', ...paths]);
  }
  return ({ name, version, architecture = 'noarch' }) => {
    const [, epoch = '0', rest = version] = /^(\d+):(.*)$/.exec(version) ?? [];
    return join(out, architecture, `${name}-${epoch}_${rest}.${architecture}.rpm`);
  };
}

function specOf({ name, version, architecture = 'noarch', lines = [] }: TestRpm): string {
  const [, epoch = '0', rest = version] = /^(\d+):(.*)$/.exec(version) ?? [];
  const [upstream, release] = rest.split('-');
  return [
    ...[`Name: ${name}`, `Epoch: ${epoch}`, `Version: ${upstream}`, `Release: ${release}`, 'Summary: a test'],
    ...['License: MIT', ...(architecture === 'noarch' ? ['BuildArch: noarch'] : []), ...lines],
    ...['%description', 'a test', '%files', ''],
  ].join('\n');
}

export interface TestRepository {
  readonly rpms: readonly TestRpm[];
  readonly advisories?: readonly TestAdvisory[];
  /** Further arguments of createrepo_c. */
  readonly args?: readonly string[];
}

/** Makes a repository with createrepo_c; returns its files by their paths below the folder. */
export async function createRepository(
  folder: string,
  { rpms, advisories = [], args = [] }: TestRepository,
  pathOf: (rpm: TestRpm) => string,
): Promise<ReadonlyMap<string, Buffer>> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'p'), { recursive: true });
  for (const path of new Set(rpms.map(pathOf))) {
    await run('cp', [path, join(folder, 'p')]);
  }
  await run('createrepo_c', ['-q', '--no-database', ...args, folder]);
  if (advisories.length > 0) {
    await writeFile(join(folder, 'updateinfo.xml'), updateinfo(advisories));
    await run('modifyrepo_c', [join(folder, 'updateinfo.xml'), join(folder, 'repodata')]);
  }
  return readFolder(folder);
}

async function readFolder(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = paths.map(async (path) => [relative(folder, path), await readFile(path)] as const);
  return new Map(await Promise.all(read));
}

function updateinfo(advisories: readonly TestAdvisory[]): string {
  const updates = advisories.map(({ type, packages }, index) => {
    const entries = packages.map((rpm) => {
      const { name, version, architecture = 'noarch' } = rpm;
      const [, epoch = '0', rest = version] = /^(\d+):(.*)$/.exec(version) ?? [];
      const [upstream, release] = rest.split('-');
      return `<package name="${name}" version="${upstream}" release="${release}" epoch="${epoch}" arch="${architecture}"><filename>${fileOf(rpm)}</filename></package>`;
    });
    return `<update from="a@example.org" status="final" type="${type}" version="1"><id>TEST-${index}</id><title>t</title><issued date="2026-01-01 00:00:00"/><updated date="2026-01-01 00:00:00"/><severity>Important</severity><description>d</description><references/><pkglist><collection short="t"><name>t</name>${entries.join('')}</collection></pkglist></update>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<updates>${updates.join('\n')}</updates>\n`;
}

/** Signs packages in place, and the list of a repository; returns the public key as text. */
export async function signRepository(
  home: string,
  { rpms, list }: { readonly rpms: readonly string[]; readonly list: Buffer },
): Promise<{ key: string; signature: Buffer }> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const gpg = ['--homedir', home, '--batch', '--yes', '--passphrase', ''];
  if (!(await readdir(home)).includes('pubring.kbx'))
    await run('gpg', [
      ...gpg,
      '--pinentry-mode',
      'loopback',
      '--quick-gen-key',
      'rpm@example.org',
      'rsa2048',
      'sign',
      'never',
    ]);
  if (rpms.length > 0)
    await run('rpmsign', [
      '--define',
      '_gpg_name rpm@example.org',
      '--define',
      '__gpg /usr/bin/gpg',
      '--define',
      `_gpg_path ${home}`,
      '--addsign',
      ...rpms,
    ]);
  await writeFile(join(home, 'list'), list);
  await run('gpg', [...gpg, '--armor', '--output', join(home, 'list.asc'), '--detach-sign', join(home, 'list')]);
  await run('gpg', [...gpg, '--armor', '--output', join(home, 'key.asc'), '--export', 'rpm@example.org']);
  await run('gpgconf', ['--homedir', home, '--kill', 'all']);
  return { key: await readFile(join(home, 'key.asc'), 'utf8'), signature: await readFile(join(home, 'list.asc')) };
}

/** Puts a repository's files under a path of an archive, without the packages. */
export function publishRepository(
  archive: Pick<TestArchive, 'files'>,
  path: string,
  files: ReadonlyMap<string, Buffer>,
): void {
  for (const known of archive.files.keys()) if (known.startsWith(path)) archive.files.delete(known);
  for (const [name, content] of files) archive.files.set(`${path}${name}`, content);
}

/** Notes packages as installed in the database of a root. */
export async function installRpms(root: string, paths: readonly string[]): Promise<void> {
  await mkdir(root, { recursive: true });
  const args = ['--root', root, '--dbpath', '/var/lib/rpm', '--justdb', '--nodeps', '--ignorearch', '--force', '-i'];
  await run('rpm', [...args, ...paths]);
}

/** The database of a root, as an image would have it. */
export async function rpmDatabase(root: string): Promise<Record<string, Buffer>> {
  return { '/var/lib/rpm/rpmdb.sqlite': await readFile(join(root, 'var/lib/rpm/rpmdb.sqlite')) };
}

/** The state of an image that has these files. */
export async function rpmState(files: Readonly<Record<string, string | Uint8Array>>): Promise<PackageState> {
  const bytes = Object.entries(files).map(([path, content]) => [path, Buffer.from(content)] as const);
  const read = await rpmReader.read(new Map(bytes));
  if (read === undefined) throw new Error('nothing is installed');
  return { manager: 'rpm', os: { id: 'fedora', version: '40' }, ...read, digest: digestOf(JSON.stringify(bytes)) };
}
