import { join } from 'node:path';
import type { Builder } from '../builder/builder.ts';
import { createBuildKit } from '../builder/buildkit.ts';
import type { Config } from '../config.ts';
import type { Readiness } from '../domain/facts.ts';
import type { Settings } from '../domain/fleet/model.ts';
import type { Platform } from '../domain/platform.ts';
import { ensureEmulation, lookAtEmulation } from '../embedded/binfmt.ts';
import { type Embedded, startEmbedded } from '../embedded/embedded.ts';
import { isLoopbackAddress } from '../lib/http.ts';

export interface BuilderOptions {
  readonly signal: AbortSignal;
  readonly onTrouble: (message: string) => void;
}

export interface Builders {
  readonly builder: Builder;
  /** `look`: says whether it could be built, and starts nothing. */
  readonly readiness: (platform: Platform, options?: { readonly look?: boolean }) => Promise<Readiness>;
  close(): Promise<void>;
}

/** The configured BuildKit of each platform; for the rest the embedded one, started when it is first asked about. */
export function createBuilders(
  config: Config,
  settings: Settings,
  embedded: Embedded,
  options: BuilderOptions,
): Builders {
  let daemon: Promise<Embedded> | undefined;
  let address: string | undefined;
  const insecureRegistries = [
    ...(embedded.registry === undefined ? [] : [embedded.registry]),
    ...loopbackHosts(settings),
  ];
  const start = async () => {
    const needs = { buildkit: true };
    daemon ??= startEmbedded({
      dataDirectory: config.dataDirectory,
      needs,
      insecureRegistries,
      signal: options.signal,
      log: options.onTrouble,
    });
    address = (await daemon).buildkit;
  };
  const builder = createBuildKit({
    buildctl: config.tool('buildctl'),
    address: (platform) => settings.builders[platform] ?? address,
    dockerConfig: config.dockerConfig,
    insecureRegistries,
    runtimeDirectory: join(config.dataDirectory, 'builds'),
  });
  return {
    builder,
    async readiness(platform, { look = false } = {}) {
      if (settings.builders[platform] !== undefined) return { ready: true };
      if (look) return lookAtEmulation(platform);
      const emulation = await ensureEmulation(platform);
      if (emulation.ready) await start();
      return emulation;
    },
    async close() {
      await (await daemon?.catch(() => undefined))?.close();
    },
  };
}

/** One that is there already, and builds every platform. */
export function givenBuilder(builder: Builder): Builders {
  return { builder, readiness: async () => ({ ready: true }), close: async () => {} };
}

/** Hosts that speak plain HTTP: those on this machine. */
function loopbackHosts(settings: Settings): string[] {
  const hosts = [settings.registry, ...Object.values(settings.upstreams)].map((text) => text?.split('/')[0]);
  return hosts.filter((host): host is string => host !== undefined && isLoopbackAddress(host));
}
