import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseReference } from '../../src/domain/reference.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { exec } from '../../src/lib/exec.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { readLayers, startDebian } from './archive.ts';
import { DOTNET, familiesOf, upstreamOf, writeFleet } from './fleet.ts';
import { pushUpstream } from './recorded.ts';
import type { ScenarioResult } from './scenario.ts';
import { type PlayedScenario, toTable } from './table.ts';

/**
 * A fleet of the size of .NET's on a loopback registry: what a cycle costs when nothing changed, when one base did, and
 * when everything did. Registry, Redis, queues, signatures and the look for newer packages are real; builder, cataloguer and scanner are recorded.
 * `npm run bench:fleet`, or with `-- --images 26 --platforms 52` a smaller one.
 */
const { values: flags } = parseArgs({
  options: {
    images: { type: 'string', default: `${DOTNET.images}` },
    platforms: { type: 'string', default: `${DOTNET.platforms}` },
    /** Where the result is kept; empty: nowhere. */
    out: { type: 'string', default: join(import.meta.dirname, '..', 'results', 'fleet.json') },
    keep: { type: 'boolean', default: false },
    /** A folder for CPU profiles, one a scenario. */
    profile: { type: 'string', default: '' },
  },
});

const size = { images: Number(flags.images), platforms: Number(flags.platforms) };
const folder = await mkdtemp(join(tmpdir(), 'ingot-bench-'));
const root = join(folder, 'fleet');
const needs = { registry: true, redis: true };
const embedded = await startEmbedded({ dataDirectory: join(root, '.ingot'), needs });
const http = createHttp({ connectionsPerHost: 16, userAgent: 'ingot-bench', timeoutMs: 60_000 });
const registry = createRegistry({ http });
const layers = join(folder, 'layers');
const archive = await startDebian(layers);
const packages = await readLayers(layers);
const upstreams = `${embedded.registry}/upstream`;

try {
  await writeFleet(root, size, { registry: `${embedded.registry}/golden`, upstreams });
  await commit();
  const results = [
    await play('first release of all', allFamilies(), 'first'),
    await play('nothing changed', [], ''),
    await play('one base changed', [0], 'second'),
    await play('everything changed', allFamilies(), 'third'),
    await play('nothing changed, with history', [], ''),
  ];
  process.stdout.write(`${toTable(results)}\n`);
  if (flags.out !== '') await keep(results, flags.out);
} finally {
  await http.close();
  await archive.stop();
  await embedded.close();
  if (flags.keep) process.stdout.write(`kept in ${folder}\n`);
  else await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

function allFamilies(): number[] {
  return Array.from({ length: familiesOf(size) }, (_, family) => family);
}

/** Definitions are in git, as those of a real fleet: each release asks for its commit. */
async function commit(): Promise<void> {
  const who = ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org'];
  for (const args of [
    ['init', '--quiet'],
    ['add', 'images'],
    [...who, 'commit', '--quiet', '-m', 'Add the fleet'],
  ]) {
    const { exitCode, stderr } = await exec('git', args, { cwd: root });
    if (exitCode !== 0) throw new Error(`git ${args[0]}: ${stderr}`);
  }
}

async function play(scenario: string, families: readonly number[], edition: string): Promise<PlayedScenario> {
  for (const family of families) {
    await pushUpstream(registry, parseReference(`${upstreams}/${upstreamOf(family)}`), {
      edition: `${edition} ${family}`,
      packages,
    });
  }
  process.stderr.write(`${scenario} …\n`);
  const before = archive.requests.length;
  const script = join(import.meta.dirname, 'scenario.ts');
  const profile = flags.profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${flags.profile}`];
  const args = [
    ...profile,
    script,
    '--scenario',
    scenario,
    '--root',
    root,
    '--layers',
    layers,
    '--platforms',
    flags.platforms,
  ];
  const onStderr = (line: string) => void process.stderr.write(`  ${line}\n`);
  const { exitCode, stdout } = await exec(process.execPath, args, { timeout: 3_600_000, onStderr });
  if (exitCode !== 0) throw new Error(`the scenario "${scenario}" ended with ${exitCode}`);
  const answer = JSON.parse(stdout.toString('utf8')) as ScenarioResult;
  return { ...answer, archiveRequests: archive.requests.length - before };
}

async function keep(results: readonly PlayedScenario[], file: string): Promise<void> {
  const [cpu] = cpus();
  const machine = {
    cpus: cpus().length,
    model: cpu?.model,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    system: `${process.platform} ${process.arch}`,
  };
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(
    file,
    `${JSON.stringify({ measuredAt: new Date().toISOString(), machine, size, results }, null, 2)}\n`,
  );
  process.stdout.write(`kept in ${file}\n`);
}
