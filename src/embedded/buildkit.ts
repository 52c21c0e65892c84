import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FactoryError } from '../domain/errors.ts';
import { exec } from '../lib/exec.ts';
import { writeWhole } from '../lib/write-whole.ts';
import type { FindTool, Part } from './part.ts';
import { childrenOf } from './processes.ts';

export interface BuildKitPartOptions {
  readonly folder: string;
  readonly runtime: string;
  readonly findTool: FindTool;
  /** `host:port` of registries that speak plain HTTP; asked for at each start. */
  readonly insecureRegistries: () => Promise<readonly string[]>;
  /** The most that the cache takes, as in `50GB` or `20%` of the disk; default `20GB`. */
  readonly cache?: string | undefined;
  /** Whether we are root; default: as the process is. */
  readonly root?: boolean;
}

/** A buildkitd on a socket. Its address is `unix://<path>`. */
export function createBuildKitPart(options: BuildKitPartOptions): Part {
  const { folder, runtime, findTool } = options;
  const socket = join(runtime, 'buildkitd.sock');
  const otel = join(runtime, 'otel.sock');
  const config = join(folder, 'buildkitd.toml');
  return {
    name: 'buildkit',
    folder,
    prepare: async () => {
      if (!(options.root ?? process.getuid?.() === 0)) throw rootNeeded();
      await mkdir(runtime, { recursive: true, mode: 0o700 });
      await rm(socket, { force: true });
      await writeWhole(config, buildkitConfig(await options.insecureRegistries(), options.cache));
      const daemon = { program: await findTool('buildkitd'), runc: await findTool('runc') };
      return {
        program: 'unshare',
        args: [...NAMESPACES, ...buildkitdArgs({ ...daemon, socket, config, folder, otel })],
        // By default BuildKit drops what a step prints fast: the last lines of a failing one among it.
        env: { BUILDKIT_STEP_LOG_MAX_SPEED: '-1', BUILDKIT_STEP_LOG_MAX_SIZE: String(16 * 1024 * 1024) },
        address: `unix://${socket}`,
        deathSignal: 'KILL', // unshare ignores SIGTERM
        stopMs: 2_000, // it waits for its builds without limit; who closes wants none of them
        leaves: [socket, otel],
        target: async (pid) => (await childrenOf(pid))[0],
      };
    },
    isReady: async (address, signal) => {
      const args = ['--addr', address, '--timeout', '2', 'debug', 'workers'];
      const { exitCode } = await exec(await findTool('buildctl'), args, { timeout: 10_000, signal });
      return exitCode === 0;
    },
  };
}

/**
 * The daemon is the first process of a process namespace and has its own mounts: whatever way it ends, the kernel ends
 * the containers of its builds with it and drops their mounts. Nothing is left to clean up.
 */
const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc', '--'];

interface BuildKitPaths {
  readonly program: string;
  readonly runc: string;
  readonly socket: string;
  readonly config: string;
  readonly folder: string;
  readonly otel: string;
}

function buildkitdArgs({ program, runc, socket, config, folder, otel }: BuildKitPaths): string[] {
  return [
    program,
    `--config=${config}`,
    `--addr=unix://${socket}`,
    `--root=${join(folder, 'root')}`,
    `--otel-socket-path=${otel}`, // the default would be shared by all daemons of the machine
    '--containerd-worker=false',
    '--oci-worker-net=host',
    `--oci-worker-binary=${runc}`,
  ];
}

/** https://docs.docker.com/build/buildkit/toml-configuration/ */
export function buildkitConfig(insecureRegistries: readonly string[], cache = '20GB'): string {
  const registries = insecureRegistries.map((host) => `[registry.${JSON.stringify(host)}]\n  http = true\n`);
  return `[worker.oci]
  gc = true
  maxUsedSpace = "${cache}"
  minFreeSpace = "5%"

[history]
  maxAge = 604800
  maxEntries = 100

${registries.join('\n')}`;
}

function rootNeeded(): FactoryError<'configuration'> {
  return new FactoryError(
    'the embedded BuildKit needs root; run as root, or name daemons that run elsewhere as "builders:" in ingot.yaml',
    { code: 'configuration' },
  );
}
