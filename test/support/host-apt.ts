import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';

/** `name old new`, as `apt-get -s dist-upgrade` says for packages that it would upgrade, sorted; without downgrades, which no unattended upgrade does. */
export type Upgrades = readonly string[];

/**
 * What the real apt makes of an image's files: its own `update` from the archives that they name, then a simulated
 * upgrade. Nothing of the machine's own configuration is looked at.
 */
export async function aptUpgrades(
  files: Readonly<Record<string, string | Uint8Array>>,
  architecture = 'amd64',
): Promise<Upgrades> {
  const root = await mkdtemp(join(tmpdir(), 'ingot-apt-'));
  try {
    for (const folder of FOLDERS) await mkdir(join(root, folder), { recursive: true });
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
    const configuration = join(root, 'apt.conf');
    await writeFile(configuration, configurationOf(root, architecture));
    await apt(['update', '--error-on=any', '-q'], configuration);
    const said = await apt(['-s', '-q', 'dist-upgrade'], configuration);
    const lines = said.matchAll(/^Inst (\S+) \[(\S+)\] \((\S+) /gm);
    const downgraded = /^The following packages will be DOWNGRADED:\n((?: .*\n)*)/m.exec(said)?.[1]?.split(/\s+/) ?? [];
    const upgraded = [...lines].filter(([, name]) => !downgraded.includes(name!));
    return upgraded.map(([, name, from, to]) => `${name} ${from} ${to}`).sort();
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const FOLDERS = [
  'etc/apt/preferences.d',
  'etc/apt/apt.conf.d',
  'etc/apt/sources.list.d',
  'etc/apt/trusted.gpg.d',
].concat(['var/lib/apt/lists/partial', 'var/cache/apt/archives/partial', 'var/lib/dpkg']);

function configurationOf(root: string, architecture: string): string {
  return [
    `Dir "${root}/";`,
    `Dir::State::status "${root}/var/lib/dpkg/status";`,
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    'APT::Sandbox::User "root";',
    'APT::Get::Show-User-Simulation-Note "false";',
    'Acquire::Languages "none";',
    'Debug::NoLocking "true";',
  ].join('\n');
}

async function apt(args: readonly string[], configuration: string): Promise<string> {
  const env = { APT_CONFIG: configuration, LC_ALL: 'C.UTF-8' };
  const { exitCode, stdout, stderr } = await exec('apt-get', args, { env, timeout: 300_000 });
  if (exitCode !== 0) throw new Error(`apt-get ${args.join(' ')} failed:\n${stdout.toString()}\n${stderr}`);
  return stdout.toString();
}
