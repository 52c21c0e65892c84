import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { atDigest, parseReference, type Reference } from '../../src/domain/reference.ts';
import { createPackageStates } from '../../src/image/package-states.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createAptArchives } from '../../src/packages/apt.ts';
import { createArchiveFetch } from '../../src/packages/archive-fetch.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { registryOf } from './fleet.ts';

/** As gather.ts does. */
const AT_ONCE = 16;

/** One process of a benchmark: prints its figures as JSON. Arguments: folder, `read`, `decide` or `again`. */
const [folder = '', scenario = ''] = process.argv.slice(2);
const names = await readdir(join(folder, 'layers'));
const place = parseReference('registry.example/fleet/image');
const images = names.map((name) => atDigest(place, `sha256:${name}`));
const http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-bench', timeoutMs: 120_000 });
const registry = registryOf(join(folder, 'layers')) as Registry;
const states = createPackageStates({ registry, directory: join(folder, 'states') });
const archives = createAptArchives({
  fetch: createArchiveFetch({ http, directory: join(folder, 'archives') }),
  mirrors: {},
  readKeyring: () => Promise.reject(new Error('no mirror has one')),
  now: () => new Date(),
});
const each = (work: (image: Reference) => Promise<number>) => pLimit(AT_ONCE).map(images, work);
const read = () => each(async (image) => (await states.state(image)).installed.length);
const decide = () => each(async (image) => (await archives.updates(await states.state(image), {})).length);
if (scenario === 'again') await decide();
const before = process.cpuUsage();
const started = performance.now();
const counts = await (scenario === 'read' ? read() : decide());
const { user, system } = process.cpuUsage(before);
process.stdout.write(
  JSON.stringify({
    seconds: Number(((performance.now() - started) / 1000).toFixed(2)),
    cpuSeconds: Number(((user + system) / 1e6).toFixed(2)),
    peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    found: counts.reduce((sum, count) => sum + count, 0),
  }),
);
await http.close();
