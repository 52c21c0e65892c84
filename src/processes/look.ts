import type { ComposeOptions } from '../compose.ts';
import type { Config } from '../config.ts';
import { FactoryError } from '../domain/errors.ts';
import { startEmbedded } from '../embedded/embedded.ts';
import { fleetsIn } from '../ledger/redis-store.ts';
import { redisOptions } from '../queue/connection.ts';
import type { FactoryService } from '../service/service.ts';
import { createFactoryService } from './factory-service.ts';
import { createHost } from './host.ts';

export interface LookOptions extends ComposeOptions {
  /** Which fleet, in a Redis that has several. */
  readonly fleet?: string | undefined;
}

/** Asks a factory that is served, by its Redis. @throws FactoryError `usage` when none is */
export async function lookAtService<T>(
  config: Config,
  options: LookOptions,
  use: (service: FactoryService) => Promise<T>,
): Promise<T> {
  const needs = { redis: config.redisUrl === undefined };
  const embedded = await startEmbedded({ dataDirectory: config.dataDirectory, needs, signal: options.signal });
  const redis = config.redisUrl === undefined ? { path: embedded.redis! } : { url: config.redisUrl };
  try {
    const all = await fleetsIn(redisOptions(redis));
    const found = all.filter(({ fleet }) => options.fleet === undefined || fleet === options.fleet);
    if (found.length !== 1) throw notOne(all.map(({ fleet }) => fleet));
    const { fleet, base } = found[0]!;
    const registry = base.split('/')[0]!;
    const host = createHost(config, { ...options, fleet, base, embedded: { ...embedded, registry }, unsigned: true });
    try {
      return await use(createFactoryService(host, { reload: async () => undefined }));
    } finally {
      await host.close();
    }
  } finally {
    await embedded.close();
  }
}

function notOne(fleets: readonly string[]): FactoryError<'usage'> {
  const message =
    fleets.length === 0
      ? 'no fleet is served from this Redis; "ingot serve" does that (REDIS_URL says which Redis)'
      : `this Redis has the fleets ${fleets.join(', ')}; name one with --fleet-name`;
  return new FactoryError(message, { code: 'usage' });
}
