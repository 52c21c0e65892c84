import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import type { Fleet, Image } from '../src/domain/fleet/model.ts';
import type { Platform } from '../src/domain/platform.ts';
import { parseReference, type Reference } from '../src/domain/reference.ts';
import { startEmbedded } from '../src/embedded/embedded.ts';
import { watchUpstreams } from '../src/flows/watch.ts';
import { createRedisLedger } from '../src/ledger/redis.ts';
import { exec } from '../src/lib/exec.ts';
import { createHttp } from '../src/lib/http.ts';
import { redisOptions } from '../src/queue/connection.ts';
import { createRegistry } from '../src/registry/oci.ts';
import { imageOf } from '../test/support/generated-images.ts';
import { startMeasuring } from './fleet/measure.ts';
import { pushUpstream } from './fleet/recorded.ts';

/**
 * What it costs to look at ten thousand upstream tags of which none moved, on a loopback registry: one HEAD each.
 * `node bench/watch.ts`, or with `--upstreams 1000` fewer.
 */
const { values: flags } = parseArgs({
  options: {
    upstreams: { type: 'string', default: '10000' },
    /** Internal: the process that is measured. */
    watch: { type: 'string', default: '' },
    redis: { type: 'string', default: '' },
    /** A folder for CPU profiles. */
    profile: { type: 'string', default: '' },
  },
});
const TAGS_OF_ONE = 100;
const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/arm/v7'] as const;
const NO_PACKAGES = new Map<Platform, Buffer>(PLATFORMS.map((platform) => [platform, Buffer.alloc(1024)]));
const count = Number(flags.upstreams);
const http = createHttp({ connectionsPerHost: 16, userAgent: 'ingot-bench', timeoutMs: 60_000 });

if (flags.watch === '') await prepare();
else await watchOnce(flags.watch, flags.redis);
await http.close();

function upstreamsAt(host: string): string[] {
  return Array.from(
    { length: count },
    (_, index) => `${host}/base-${index % TAGS_OF_ONE}:1.${Math.floor(index / TAGS_OF_ONE)}`,
  );
}

async function prepare(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-watch-'));
  const embedded = await startEmbedded({ dataDirectory: folder, needs: { registry: true, redis: true } });
  try {
    await push(embedded.registry!);
    for (const what of ['every digest is new', 'nothing moved']) {
      const profile = flags.profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${flags.profile}`];
      const where = ['--upstreams', flags.upstreams, '--watch', embedded.registry!, '--redis', embedded.redis!];
      const args = [...profile, import.meta.filename, ...where];
      const { exitCode, stdout, stderr } = await exec(process.execPath, args, { timeout: 600_000 });
      if (exitCode !== 0) throw new Error(stderr);
      process.stdout.write(`${count} upstreams, ${what}: ${stdout}`);
    }
  } finally {
    await embedded.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Each repository has the same content under all its tags: what counts is how often it is asked for. */
async function push(host: string): Promise<void> {
  const registry = createRegistry({ http });
  const groups = Map.groupBy(upstreamsAt(host).map(parseReference), ({ repository }) => repository);
  const limit = pLimit(16);
  for (const [first, ...others] of groups.values()) {
    await pushUpstream(registry, first!, { edition: 'first', packages: NO_PACKAGES });
    const { bytes, descriptor } = (await registry.manifest(first!))!;
    await limit.map(others, (reference) => registry.putManifest(reference, { mediaType: descriptor.mediaType, bytes }));
  }
}

/** One look, in a process of its own: the first time every digest is new, the second time none is. */
async function watchOnce(host: string, redis: string): Promise<void> {
  const images: Image[] = upstreamsAt(host).map((upstream, index) => imageOf(`image-${index}`, { upstream }));
  const fleet = { settings: { fleet: 'bench' }, images } as unknown as Fleet;
  const ledger = createRedisLedger({ connection: redisOptions({ path: redis }), prefix: 'bench' });
  const cost = startMeasuring();
  const registry = createRegistry({ http, onRequest: cost.onRequest });
  const now = () => new Date().toISOString();
  const deps = { registry, ledger, sourceOf: (upstream: Reference) => upstream, now };
  const answers = await watchUpstreams(fleet, deps, new AbortController().signal);
  const { seconds, cpuSeconds, peakMiB, requests } = cost.stop();
  await ledger.close();
  const unknown = [...answers].filter(([, { state }]) => state !== 'known');
  if (unknown.length > 0) throw new Error(`${unknown.length} upstreams were not known, ${unknown[0]?.[0]} first`);
  const kinds = Object.entries(requests).map(([kind, times]) => `${times} ${kind}`);
  process.stdout.write(`${seconds} s, own CPU ${cpuSeconds} s, peak ${peakMiB} MiB, ${kinds.join(', ')}\n`);
}
