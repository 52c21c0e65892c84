import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { FactoryError } from '../domain/errors.ts';
import { installedTool } from '../lib/tool.ts';
import { createBuildKitPart } from './buildkit.ts';
import { type KeptPart, keepPart } from './keeper.ts';
import type { FindTool, PartName } from './part.ts';
import { createRedisPart } from './redis.ts';
import { askForCollection, createRegistryPart, isCollectionAsked } from './registry.ts';
import { clearRuntimeFolder, ensureRuntimeFolder } from './runtime-folder.ts';

export interface EmbeddedOptions {
  /** Everything that the parts keep is below it; it is made when missing. */
  readonly dataDirectory: string;
  readonly needs: Readonly<Partial<Record<PartName, boolean>>>;
  /** `host:port` of registries that BuildKit reaches by plain HTTP; the embedded one is added. */
  readonly insecureRegistries?: readonly string[];
  /** The most that BuildKit's cache takes: `50GB`, `20%` of the disk; default `20GB`. */
  readonly buildCache?: string | undefined;
  /** Default: what set-up installed, else PATH. */
  readonly findTool?: FindTool;
  /** One line for a person: a part died, was started again. */
  readonly log?: (line: string) => void;
  /** Ends the start. What runs is ended by `close`. */
  readonly signal?: AbortSignal | undefined;
}

/** The parts that run. Absent: not asked for. */
export interface Embedded {
  /** Path of Redis' socket. */
  readonly redis?: string;
  /** `host:port`. */
  readonly registry?: string;
  /** `unix://<path>`. */
  readonly buildkit?: string;
  /**
   * Whether this process started Redis, and so was alone with the queues at that moment; without Redis among the needs,
   * whether it started any part.
   */
  readonly owner: boolean;
  /**
   * Has the registry let go of what no manifest needs. It is away meanwhile, and what is being pushed has to be pushed
   * again. `later`: it failed, or another process runs it, and it is done when it starts next. Absent: there is no registry.
   */
  readonly collectGarbage?: () => Promise<'done' | 'later'>;
  /** Stops what this process started. */
  close(): Promise<void>;
}

/**
 * Starts the parts that are not configured elsewhere, side by side, or attaches to those that another process runs on
 * the same data directory.
 *
 * @throws FactoryError `configuration` when something is missing on this machine, `unavailable` when a part does not
 * start, `cancelled`
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { needs, log = () => undefined, signal } = options;
  await mkdir(options.dataDirectory, { recursive: true, mode: 0o700 });
  const data = await realpath(options.dataDirectory);
  const findTool = options.findTool ?? (async (name: string) => installedTool(name));
  const keep = { logDirectory: join(data, 'logs'), log, signal };
  const runtime = await ensureRuntimeFolder(data);

  const redis = needs.redis && keepPart(createRedisPart({ folder: join(data, 'redis'), runtime, findTool }), keep);
  const registryFolder = join(data, 'registry');
  const registry = needs.registry && keepPart(createRegistryPart({ folder: registryFolder, findTool, log }), keep);
  const insecureRegistries = async () => {
    const own = registry ? [(await registry).address] : [];
    return [...new Set([...own, ...(options.insecureRegistries ?? [])])];
  };
  const daemon = { folder: join(data, 'buildkit'), runtime, findTool, insecureRegistries, cache: options.buildCache };
  const buildkit = needs.buildkit && keepPart(createBuildKitPart(daemon), keep);

  return toEmbedded(await allOrNone({ redis, registry, buildkit }, signal), { runtime, registryFolder });
}

type Starting = Partial<Record<PartName, Promise<KeptPart> | false | undefined>>;
type Started = Partial<Record<PartName, KeptPart>>;

/** When one does not start, the others are stopped again. */
async function allOrNone(starting: Starting, signal?: AbortSignal): Promise<Started> {
  const names = (Object.keys(starting) as PartName[]).filter((name) => starting[name]);
  const results = await Promise.allSettled(names.map((name) => starting[name] as Promise<KeptPart>));
  const failed = results.find((result) => result.status === 'rejected');
  const kept = results.map((result) => (result.status === 'fulfilled' ? result.value : undefined));
  if (failed === undefined) return Object.fromEntries(names.map((name, index) => [name, kept[index]]));
  await Promise.allSettled(kept.map((part) => part?.close()));
  if (signal?.aborted) throw new FactoryError('cancelled', { code: 'cancelled', cause: failed.reason });
  throw failed.reason;
}

function toEmbedded(
  parts: Started,
  { runtime, registryFolder }: { runtime: string; registryFolder: string },
): Embedded {
  const addresses = Object.entries(parts).map(([name, { address }]) => [name, address]);
  const { registry } = parts;
  const collectGarbage = async () => {
    await askForCollection(registryFolder);
    await registry?.restart?.();
    return (await isCollectionAsked(registryFolder)) ? 'later' : 'done';
  };
  return {
    ...(registry && { collectGarbage }),
    ...(Object.fromEntries(addresses) as Partial<Record<PartName, string>>),
    owner: parts.redis ? parts.redis.owner : Object.values(parts).some(({ owner }) => owner),
    close: async () => {
      await Promise.all(Object.values(parts).map((part) => part.close()));
      await clearRuntimeFolder(runtime);
    },
  };
}
