import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { architectureOf, type Platform } from '../domain/platform.ts';
import { exec } from '../lib/exec.ts';

/** Whether this machine can run programs of a platform; if not, the reason and the command that changes it. */
export type Emulation =
  | { readonly ready: true }
  | { readonly ready: false; readonly why: string; readonly remedy: string };

/** What the answer depends on; the defaults are this machine. */
export interface Machine {
  /** `amd64`, `arm64` */
  readonly architecture: string;
  readonly isRoot: boolean;
  /** Where the kernel shows and takes registrations (Documentation/admin-guide/binfmt-misc.rst). */
  readonly binfmtDirectory: string;
  /** Where packages lay down what to register (binfmt.d(5)). */
  readonly configDirectories: readonly string[];
  mountBinfmt(): Promise<boolean>;
}

const BINFMT = '/proc/sys/fs/binfmt_misc';
const MOUNT = `mount -t binfmt_misc binfmt_misc ${BINFMT}`;
const INSTALL = 'apt-get install -y qemu-user-static';

/** QEMU's names of architectures, and the package that has them. */
const QEMU: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64' };

/** Makes sure that programs of the platform can run here, by QEMU where they are foreign. */
export function ensureEmulation(platform: Platform, machine: Machine = thisMachine()): Promise<Emulation> {
  return emulationOf(platform, machine, register);
}

/** Whether they could run here, an emulator that root would register counted as ready. Changes nothing. */
export function lookAtEmulation(platform: Platform, machine: Machine = thisMachine()): Promise<Emulation> {
  return emulationOf(platform, machine, async (_, qemu) => {
    const possible = await registrable(machine, qemu);
    return possible.ready === undefined ? { ready: true } : possible;
  });
}

async function emulationOf(
  platform: Platform,
  machine: Machine,
  otherwise: (machine: Machine, qemu: string) => Promise<Emulation>,
): Promise<Emulation> {
  const architecture = architectureOf(platform);
  if (architecture === machine.architecture) return { ready: true };
  const qemu = QEMU[architecture];
  if (qemu === undefined) {
    return {
      ready: false,
      why: `ingot knows no emulator for ${platform}`,
      remedy: `name a daemon for ${platform} as "builders:" in ingot.yaml`,
    };
  }
  return (await registered(machine, qemu)) ?? (await otherwise(machine, qemu));
}

function thisMachine(): Machine {
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    isRoot: process.getuid?.() === 0,
    binfmtDirectory: BINFMT,
    configDirectories: ['/etc/binfmt.d', '/run/binfmt.d', '/usr/local/lib/binfmt.d', '/usr/lib/binfmt.d'],
    mountBinfmt: async () => {
      const { exitCode } = await exec('mount', MOUNT.split(' ').slice(1), { timeout: 10_000 });
      return exitCode === 0;
    },
  };
}

/** The answer of what the kernel knows; `undefined` when it knows nothing of this emulator. */
async function registered({ binfmtDirectory }: Machine, qemu: string): Promise<Emulation | undefined> {
  const entry = join(binfmtDirectory, `qemu-${qemu}`);
  const text = await readFile(entry, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  if (!/^enabled$/m.test(text)) {
    return {
      ready: false,
      why: `the emulator qemu-${qemu} is switched off in the kernel`,
      remedy: `echo 1 > ${entry}`,
    };
  }
  if (/^flags:.*F/m.test(text)) return { ready: true };
  // Without F the kernel looks the interpreter up inside the container, where it is not.
  return {
    ready: false,
    why: `the emulator qemu-${qemu} is registered without the flag F, so it is not found inside containers`,
    remedy: `echo -1 > ${entry}; ${INSTALL}; ingot then registers it anew`,
  };
}

async function register(machine: Machine, qemu: string): Promise<Emulation> {
  const possible = await registrable(machine, qemu);
  if (possible.ready === false) return possible;
  const control = join(machine.binfmtDirectory, 'register');
  if (!(await exists(control))) await machine.mountBinfmt();
  const done = (await registered(machine, qemu)) ?? (await write(control, possible.text, machine, qemu));
  const why = `the kernel did not take the emulator qemu-${qemu} (a container?)`;
  return done ?? { ready: false, why, remedy: possible.remedy };
}

/** What the kernel is to be told, or why it cannot be. */
async function registrable(
  { isRoot, binfmtDirectory, configDirectories }: Machine,
  qemu: string,
): Promise<{ ready?: undefined; text: string; remedy: string } | Extract<Emulation, { ready: false }>> {
  const line = await registration(configDirectories, qemu);
  if (line === undefined) {
    return { ready: false, why: `the emulator qemu-${qemu} is not installed`, remedy: INSTALL };
  }
  const remedy = `as root: ${MOUNT}; cat ${line.file} > ${join(binfmtDirectory, 'register')}`;
  if (!isRoot) return { ready: false, why: `the emulator qemu-${qemu} is not registered with the kernel`, remedy };
  return { text: line.text, remedy };
}

async function write(control: string, text: string, machine: Machine, qemu: string): Promise<Emulation | undefined> {
  if (!(await exists(control))) return undefined; // not mounted: a plain file made here would only look like it
  await writeFile(control, text).catch(() => undefined);
  return registered(machine, qemu);
}

async function registration(
  folders: readonly string[],
  qemu: string,
): Promise<{ file: string; text: string } | undefined> {
  for (const folder of folders) {
    const file = join(folder, `qemu-${qemu}.conf`);
    const text = await readFile(file, 'utf8').catch(() => '');
    const line = text.split('\n').find((candidate) => candidate.startsWith(':'));
    if (line !== undefined) return { file, text: line };
  }
  return undefined;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
