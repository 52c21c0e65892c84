import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Platform } from '../domain/platform.ts';
import { formatReference, type Reference } from '../domain/reference.ts';
import { cloudIdentity } from '../lib/exec.ts';
import { isLoopbackAddress } from '../lib/http.ts';
import type { Cataloguer, Sbom } from './scanner.ts';
import { reproducibleSpdx } from './spdx.ts';
import { createdOf, packagesOf } from './syft-json.ts';
import { runTool, toolError, withToolFolder } from './tool.ts';

export interface SyftOptions {
  /** Path of the syft program. */
  readonly syft: string;
  /** Folder with a Docker `config.json`; default as syft finds it. */
  readonly dockerConfig?: string | undefined;
  /** `host[:port]` of registries that speak plain HTTP; those on this machine are known. */
  readonly insecureRegistries?: readonly string[] | undefined;
}

/** Lists packages with syft (1.51), straight from the registry. */
export function createSyft(options: SyftOptions): Cataloguer {
  return {
    name: 'syft',
    catalogue: (reference, { platform, signal }) => catalogue(options, { reference, platform, signal }),
    packages: packagesOf,
  };
}

interface Target {
  readonly reference: Reference;
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
}

function catalogue(options: SyftOptions, { reference, platform, signal }: Target): Promise<Sbom> {
  return withToolFolder(async ({ path, config }) => {
    const files = { native: join(path, 'syft.json'), spdx: join(path, 'spdx.json') };
    const args = syftArgs({ reference, platform, config, ...files });
    const { exitCode, stderr } = await runTool(options.syft, args, {
      cwd: path,
      env: environment(options, reference),
      signal,
    });
    if (exitCode !== 0) throw toolError(`the packages of ${formatReference(reference)} could not be listed`, stderr);
    const native = await readFile(files.native);
    const spdx = reproducibleSpdx(await readFile(files.spdx), { reference, created: createdOf(native) });
    return { native, spdx };
  });
}

interface SyftFiles extends Target {
  readonly config: string;
  readonly native: string;
  readonly spdx: string;
}

function syftArgs({ reference, platform, config, native, spdx }: SyftFiles): string[] {
  return [
    ...['scan', formatReference(reference), '--config', config, '--from', 'registry', '--platform', platform],
    // The last part of the repository, as in a purl of type oci: where an image lies is not what it is.
    ...['--source-name', reference.repository.split('/').at(-1) ?? reference.repository],
    ...['--output', `syft-json=${native}`, '--output', `spdx-json=${spdx}`],
  ];
}

function environment({ dockerConfig, insecureRegistries = [] }: SyftOptions, { registry }: Reference) {
  const insecure = insecureRegistries.includes(registry) || isLoopbackAddress(registry);
  return {
    ...cloudIdentity(),
    SYFT_CHECK_FOR_APP_UPDATE: 'false',
    ...(insecure && { SYFT_REGISTRY_INSECURE_USE_HTTP: 'true' }),
    ...(dockerConfig !== undefined && { DOCKER_CONFIG: dockerConfig }),
  };
}
