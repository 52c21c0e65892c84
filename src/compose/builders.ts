import { join, resolve } from 'node:path';
import { type Builder, BuilderError } from '../builder/builder.ts';
import { createBuildKit } from '../builder/buildkit.ts';
import type { Config } from '../config.ts';
import type { Readiness } from '../domain/facts.ts';
import type { Settings } from '../domain/fleet/model.ts';
import type { BuilderSettings } from '../domain/fleet/settings-builders.ts';
import type { Platform } from '../domain/platform.ts';
import { ensureEmulation, lookAtEmulation } from '../embedded/binfmt.ts';
import { type Embedded, startEmbedded } from '../embedded/embedded.ts';
import { isLoopbackAddress } from '../lib/http.ts';

export interface BuilderOptions {
  readonly signal: AbortSignal;
  readonly onTrouble: (message: string) => void;
  /** One that others use as well, and that is not closed with these builders. */
  readonly daemon?: Daemon | undefined;
}

/** The embedded BuildKit: started when it is first needed, and once; one that did not start is tried again. */
export interface Daemon {
  /** @returns its address */
  start(insecureRegistries: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export function createDaemon(
  { dataDirectory, buildCache }: Pick<Config, 'dataDirectory' | 'buildCache'>,
  { signal, onTrouble: log }: Omit<BuilderOptions, 'daemon'>,
  startParts: typeof startEmbedded = startEmbedded,
): Daemon {
  let running: Promise<Embedded> | undefined;
  return {
    async start(insecureRegistries) {
      running ??= startParts({ dataDirectory, needs: { buildkit: true }, insecureRegistries, buildCache, signal, log });
      const current = running;
      try {
        return (await current).buildkit!;
      } catch (error) {
        // A full disk, a tool that set-up has not brought yet: the next build may find it mended
        if (running === current) running = undefined;
        throw error;
      }
    },
    async close() {
      await (await running?.catch(() => undefined))?.close();
    },
  };
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
  embedded: Pick<Embedded, 'registry'>,
  options: BuilderOptions,
): Builders {
  const daemon = options.daemon ?? createDaemon(config, options);
  let address: string | undefined;
  const insecureRegistries = [
    ...(embedded.registry === undefined ? [] : [embedded.registry]),
    ...loopbackHosts(settings),
  ];
  const builder = createBuildKit({
    buildctl: config.tool('buildctl'),
    address: (platform) => settings.builders[platform]?.address ?? address,
    tls: (platform) => filesOf(settings.builders[platform]?.tls, config.root),
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
      if (emulation.ready) address = await daemon.start(insecureRegistries);
      return emulation;
    },
    async close() {
      if (options.daemon === undefined) await daemon.close();
    },
  };
}

/** Each machine that builds has its own certificate; absolute paths. */
function filesOf(tls: BuilderSettings['tls'], root: string): BuilderSettings['tls'] {
  return tls && { ca: resolve(root, tls.ca), cert: resolve(root, tls.cert), key: resolve(root, tls.key) };
}

/** One that is there already, and builds every platform. */
export function givenBuilder(builder: Builder): Builders {
  return { builder, readiness: async () => ({ ready: true }), close: async () => {} };
}

/** The same builder, started when it is first asked to build: nobody has planned in this process. */
export function readied({ builder, readiness }: Pick<Builders, 'builder' | 'readiness'>): Builder {
  const ready = async (platform: Platform) => {
    const answer = await readiness(platform);
    if (!answer.ready) throw new BuilderError(`${answer.why}; ${answer.remedy}`, { code: 'unavailable' });
  };
  return {
    ...builder,
    async build(request) {
      await ready(request.platform);
      return builder.build(request);
    },
    async command(request) {
      await ready(request.platform);
      return builder.command(request);
    },
  };
}

/** Hosts that speak plain HTTP: those on this machine. */
function loopbackHosts(settings: Settings): string[] {
  const hosts = [settings.registry, ...Object.values(settings.upstreams)].map((text) => text?.split('/')[0]);
  return hosts.filter((host): host is string => host !== undefined && isLoopbackAddress(host));
}
