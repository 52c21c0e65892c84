import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import type { Fleet, Image } from '../src/domain/fleet/model.ts';
import { atTag, parseReference } from '../src/domain/reference.ts';
import { startEmbedded } from '../src/embedded/embedded.ts';
import { watchUpstreams } from '../src/flows/watch.ts';
import { createRedisLedger } from '../src/ledger/redis.ts';
import { exec } from '../src/lib/exec.ts';
import { createHttp } from '../src/lib/http.ts';
import { redisOptions } from '../src/queue/connection.ts';
import { createRegistry } from '../src/registry/oci.ts';
import { imageOf } from '../test/support/generated-images.ts';
import { type Cost, startMeasuring } from './fleet/measure.ts';
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
  },
});
const TAGS_OF_ONE = 100;
const count = Number(flags.upstreams);
const http = createHttp({ connectionsPerHost: 16, userAgent: 'ingot-bench', timeoutMs: 60_000 });

if (flags.watch === '') await prepare();
else await watchTwice(flags.watch, flags.redis);
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
    const args = [
      import.meta.filename,
      '--upstreams',
      flags.upstreams,
      '--watch',
      embedded.registry!,
      '--redis',
      embedded.redis!,
    ];
    const { exitCode, stdout, stderr } = await exec(process.execPath, args, { timeout: 600_000 });
    process.stdout.write(exitCode === 0 ? stdout : stderr);
  } finally {
    await embedded.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The same content under all tags: what counts is how often it is asked for. */
async function push(host: string): Promise<void> {
  const registry = createRegistry({ http });
  const references = upstreamsAt(host).map((text) => parseReference(text));
  for (const reference of references.slice(0, TAGS_OF_ONE)) await pushUpstream(registry, reference, 'first');
  const [first] = references;
  const { bytes, descriptor } = (await registry.manifest(first!))!;
  const limit = pLimit(16);
  await limit.map(references.slice(TAGS_OF_ONE), (reference) =>
    registry.putManifest(atTag(reference, reference.tag!), { mediaType: descriptor.mediaType, bytes }),
  );
}

/** The first time every digest is new, the second time none is. */
async function watchTwice(host: string, redis: string): Promise<void> {
  const images: Image[] = upstreamsAt(host).map((upstream, index) => imageOf(`image-${index}`, { upstream }));
  const fleet = { settings: { fleet: 'bench' }, images } as unknown as Fleet;
  const ledger = createRedisLedger({ connection: redisOptions({ path: redis }), prefix: 'bench' });
  const watch = async (): Promise<Cost> => {
    const cost = startMeasuring();
    const registry = createRegistry({ http, onRequest: cost.onRequest });
    const now = () => new Date().toISOString();
    const answers = await watchUpstreams(
      fleet,
      { registry, ledger, sourceOf: (upstream) => upstream, now },
      new AbortController().signal,
    );
    const unknown = [...answers].filter(([, { state }]) => state !== 'known');
    if (unknown.length > 0) throw new Error(`${unknown.length} upstreams were not known, ${unknown[0]?.[0]} first`);
    return cost.stop();
  };
  for (const what of ['every digest is new', 'nothing moved']) {
    const { seconds, cpuSeconds, peakMiB, requests } = await watch();
    const kinds = Object.entries(requests).map(([kind, times]) => `${times} ${kind}`);
    process.stdout.write(
      `${count} upstreams, ${what}: ${seconds} s, own CPU ${cpuSeconds} s, peak ${peakMiB} MiB, ${kinds.join(', ')}\n`,
    );
  }
  await ledger.close();
}
