import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '../../src/domain/digest.ts';
import { atTag, parseReference, type Reference } from '../../src/domain/reference.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { createRedisLedger } from '../../src/ledger/redis.ts';
import { createHttp } from '../../src/lib/http.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { pushImage } from './images.ts';

/** A registry and a Redis of a test's own. */
export interface StandingScene {
  readonly registry: Registry;
  readonly ledger: ReturnType<typeof createRedisLedger>;
  /** For other processes. */
  readonly redis: string;
  repository(name: string): Reference;
  stop(): Promise<void>;
}

export async function startStandingScene(): Promise<StandingScene> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-standing-'));
  const embedded = await startEmbedded({ dataDirectory: folder, needs: { redis: true, registry: true } });
  const http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
  const registry = createRegistry({ http });
  const ledger = createRedisLedger({ connection: redisOptions({ path: embedded.redis! }), prefix: 'test' });
  return {
    registry,
    ledger,
    redis: embedded.redis!,
    repository: (name) => parseReference(`${embedded.registry}/golden/${name}`),
    async stop() {
      await Promise.all([ledger.close(), http.close()]);
      await embedded.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** An index with the annotations of a release, and its version's tag. */
export async function pushRelease(registry: Registry, repository: Reference, version: string): Promise<Digest> {
  const { digest } = await pushImage(registry, atTag(repository, version), {
    platforms: ['linux/amd64', 'linux/arm64'],
    files: { 'etc/edition': version },
    annotations: {
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.created': '2026-11-01T00:00:00Z',
    },
  });
  return digest;
}

/** Dies before or after the nth PUT of a manifest, as a killed process would. */
export function dying(registry: Registry, nth: number, when: string): Registry {
  let puts = 0;
  return {
    ...registry,
    async putManifest(...args) {
      puts += 1;
      if (puts === nth && when === 'before') throw new Error('killed');
      const result = await registry.putManifest(...args);
      if (puts === nth) throw new Error('killed');
      return result;
    },
  };
}
