import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptSetup } from '../../src/domain/packages/apt-setup.ts';
import { DPKG_STATUS } from '../../src/domain/packages/deb-files.ts';
import { isPreferences } from '../../src/domain/packages/deb-preferences.ts';
import { isSourcesFile } from '../../src/domain/packages/deb-sources.ts';
import type { PackageState } from '../../src/domain/packages/state.ts';
import { ExecError, exec } from '../../src/lib/exec.ts';
import { type Closure, type ResolveRequest, type Resolver, ResolverError } from './resolver.ts';

export interface AptResolverOptions {
  /** Default `apt-get` of this machine, from PATH. */
  readonly program?: string;
  /** Where scratch folders are made; default the system's. */
  readonly directory?: string;
}

const TIMEOUT_MS = 120_000;

/**
 * The apt of this machine as a resolver for images of any architecture: it sees the image's files and the given lists,
 * and nothing of the machine. `undefined` when this machine has no apt.
 */
export async function findAptResolver(options: AptResolverOptions = {}): Promise<Resolver | undefined> {
  const { program = 'apt-get', directory = tmpdir() } = options;
  const there = await exec(program, ['--version'], { timeout: 10_000 }).then(
    ({ exitCode }) => exitCode === 0,
    () => false,
  );
  if (!there) return undefined;
  return {
    async resolve(request, { signal } = {}) {
      if (request.state.files[DPKG_STATUS] === undefined) {
        throw new ResolverError('this image has no dpkg; nothing can be installed in it', { code: 'usage' });
      }
      await mkdir(directory, { recursive: true });
      const root = await mkdtemp(join(directory, 'apt-'));
      try {
        const configuration = await writeRoot(root, request);
        const env = { APT_CONFIG: configuration, LC_ALL: 'C.UTF-8' };
        return parseSimulation(await run(program, simulationArgs(request), { env, signal, timeout: TIMEOUT_MS }));
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    },
  };
}

async function run(program: string, args: readonly string[], options: Parameters<typeof exec>[2]): Promise<string> {
  try {
    const { exitCode, stdout, stderr } = await exec(program, args, options);
    if (exitCode === 0) return stdout.toString();
    throw new ResolverError(`apt cannot do this: ${whyOf(stdout.toString(), stderr)}`, { code: 'unresolvable' });
  } catch (cause) {
    if (!(cause instanceof ExecError)) throw cause;
    const code = cause.code === 'cancelled' || cause.code === 'timed-out' ? cause.code : 'bug';
    throw new ResolverError(cause.message, { code, retryable: cause.retryable, cause });
  }
}

/** apt's errors, and the dependencies that it could not meet. */
function whyOf(stdout: string, stderr: string): string {
  const unmet = stdout.match(/^ .* : (?:Pre)?Depends: .*$/gm) ?? [];
  const errors = stderr.match(/^E: .*$/gm) ?? [];
  return [...errors, ...unmet].map((line) => line.replace(/^E: /, '').trim()).join('; ') || stderr.trim();
}

function simulationArgs({ install, upgrade }: ResolveRequest): string[] {
  const verb = upgrade === 'all' ? ['--with-new-pkgs', 'upgrade'] : ['install'];
  return ['--simulate', '-qy', '--no-install-recommends', ...verb, '--', ...install];
}

async function writeRoot(root: string, { state, lists }: ResolveRequest): Promise<string> {
  for (const folder of FOLDERS) await mkdir(join(root, folder), { recursive: true });
  for (const [path, content] of Object.entries(state.files)) {
    if (path === DPKG_STATUS || isSourcesFile(path) || isPreferences(path)) await writeFile(join(root, path), content);
  }
  const configuration = join(root, 'apt.conf');
  await writeFile(configuration, configurationOf(root, state, lists));
  return configuration;
}

const FOLDERS = [
  ...['preferences.d', 'apt.conf.d', 'sources.list.d', 'trusted.gpg.d'].map((name) => `etc/apt/${name}`),
  ...['var/cache/apt/archives/partial', 'var/lib/dpkg', 'var/log/apt'],
];

/** Never the image's own apt.conf: it can name programs that apt runs, even when it only simulates. */
function configurationOf(root: string, { architecture, files }: PackageState, lists: string): string {
  const { architectures, defaultRelease } = aptSetup({ architecture, files });
  const options = [
    ['Dir', `${root}/`],
    ['Dir::State::status', `${root}${DPKG_STATUS}`],
    ['Dir::State::lists', `${lists}/`],
    ['APT::Architecture', architecture],
    ...architectures.map((each) => ['APT::Architectures::', each]),
    ...(defaultRelease === undefined ? [] : [['APT::Default-Release', defaultRelease]]),
    ['APT::Get::Show-User-Simulation-Note', 'false'],
    ['Debug::NoLocking', 'true'],
  ];
  return options.map(([name, value = '']) => `${name} "${value.replace(/["\\\n]/g, '')}";\n`).join('');
}

/** `Inst libc6 [2.36-8] (2.36-9 Debian:12.5/stable [amd64])`, `Remv …`: apt's words since ever, for machines to read. */
export function parseSimulation(text: string): Closure {
  const installed = text.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm);
  const removed = text.matchAll(/^Remv (\S+) /gm);
  const versions = [...installed].map(([, name = '', version = '']) => [name, version] as const);
  return {
    versions: Object.fromEntries(versions.sort(([a], [b]) => (a < b ? -1 : 1))),
    removed: [...removed].map(([, name = '']) => name).sort(),
  };
}
