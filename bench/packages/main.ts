import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Table from 'cli-table3';
import { exec } from '../../src/lib/exec.ts';

/**
 * Package staleness of a large fleet, on a Debian machine: `node bench/packages/main.ts [results.json]`. 601 image
 * platforms against the full index of a Debian release, its updates and its security suite, for two architectures.
 */
const PLATFORMS = 601;

const SCENARIOS = [
  { name: 'read', title: 'layers read, once ever', found: 'packages' },
  { name: 'decide', title: 'first cycle: indexes fetched', found: 'updates' },
  { name: 'decide', title: 'new process: indexes on disk', found: 'updates' },
  { name: 'again', title: 'same process, next cycle', found: 'updates' },
] as const;

const folder = await mkdtemp(join(tmpdir(), 'ingot-bench-'));
const results: (Record<string, number> & { readonly seconds: number })[] = [];
try {
  // Even this in a process of its own: the peak of a child begins with what its parent has.
  await run('fleet.ts', join(folder, 'layers'), String(PLATFORMS));
  for (const { name } of SCENARIOS) results.push(JSON.parse(await run('scenario.ts', folder, name)));
} finally {
  await rm(folder, { recursive: true, force: true });
}
const table = new Table({ head: ['601 platforms', 'wall s', 'own CPU s', 'peak MiB', 'found'], style: { head: [] } });
for (const [index, { title, found }] of SCENARIOS.entries()) {
  const { seconds, cpuSeconds, peakMiB, found: count } = results[index]!;
  table.push([title, String(seconds), String(cpuSeconds), String(peakMiB), `${count} ${found}`]);
}
process.stdout.write(`${table.toString()}\n`);
const out = process.argv[2] ?? join(import.meta.dirname, '..', 'results', 'packages.json');
await mkdir(dirname(out), { recursive: true });
const scenarios = SCENARIOS.map(({ title }, index) => ({ title, ...results[index] }));
const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
await writeFile(out, `${JSON.stringify({ platforms: PLATFORMS, machine, scenarios }, null, 2)}\n`);

async function run(script: string, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await exec(process.execPath, [join(import.meta.dirname, script), ...args]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.toString();
}
