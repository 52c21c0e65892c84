import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatReference, parseReference } from '../../src/domain/reference.ts';
import { exec } from '../../src/lib/exec.ts';
import { layOut } from './corpus.ts';
import { type Found, git, withIngot, withRenovate } from './finders.ts';
import { SAMPLES, writeSamples } from './generated.ts';
import { lookTwice } from './look.ts';

/**
 * Pins found by ingot and by Renovate in the same files, and what a second look at many unchanged repositories costs.
 * `npm run bench:downstream`, or with `-- --repositories 100 --renovate ""` smaller.
 */
const { values: flags } = parseArgs({
  options: {
    repositories: { type: 'string', default: '1000' },
    /** Version from npm, installed beside the other tools; empty: without it. */
    renovate: { type: 'string', default: '44.121.2' },
    out: { type: 'string', default: join(import.meta.dirname, '..', 'results', 'downstream.json') },
    /** Prints what only one of both found. */
    verbose: { type: 'boolean', default: false },
  },
});

const folder = await mkdtemp(join(tmpdir(), 'ingot-bench-pins-'));
try {
  const renovate = flags.renovate === '' ? undefined : await installRenovate(flags.renovate);
  const samples = await compare('generated', renovate, writeSamples);
  const files = await compare('public files', renovate, async (at) => void (await layOut(at)));
  const looks = await lookTwice(Number(flags.repositories));
  const machine = `${cpus().length} cores, ${cpus()[0]?.model}, Node ${process.version}`;
  const result = { at: new Date().toISOString(), machine, renovate: flags.renovate, samples, files, looks };
  console.log(JSON.stringify(result, null, 2));
  if (flags.out !== '') await writeFile(flags.out, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function compare(name: string, renovate: string | undefined, fill: (at: string) => Promise<void>) {
  const at = join(folder, name.replace(' ', '-'));
  await mkdir(at);
  await fill(at);
  await git(at, 'init', '--quiet');
  await git(at, 'add', '--all', '--force');
  const ours = await withIngot(at);
  const theirs = renovate === undefined ? undefined : await withRenovate(at, renovate);
  const truth = new Set(name === 'generated' ? known() : [...ours.pins, ...(theirs?.pins ?? [])]);
  if (flags.verbose && theirs) tellDifference(ours, theirs);
  return { pins: truth.size, ingot: score(ours, truth), ...(theirs && { renovate: score(theirs, truth) }) };
}

function known(): string[] {
  return SAMPLES.flatMap(({ path, pins }) => pins.map((pin) => `${path} ${formatReference(parseReference(pin))}`));
}

/** Against what is known to be there; of public files, that is what either found. */
function score({ pins, ms }: Found, truth: ReadonlySet<string>) {
  const distinct = new Set(pins);
  const found = [...distinct].filter((pin) => truth.has(pin)).length;
  return { found, missed: truth.size - found, wrong: distinct.size - found, ms: Math.round(ms) };
}

function tellDifference(ours: Found, theirs: Found): void {
  const [a, b] = [new Set(ours.pins), new Set(theirs.pins)];
  for (const pin of a) if (!b.has(pin)) console.log(`only ingot     ${pin}`);
  for (const pin of b) if (!a.has(pin)) console.log(`only renovate  ${pin}`);
}

/** Of no use to anybody but this: kept apart from our own packages. */
async function installRenovate(version: string): Promise<string> {
  const at = join(import.meta.dirname, '..', '..', '.tools', `renovate-${version}`);
  if (existsSync(join(at, 'node_modules/renovate/package.json'))) return at;
  await mkdir(at, { recursive: true });
  await writeFile(join(at, 'package.json'), '{ "private": true }\n');
  const { exitCode, stderr } = await exec('npm', ['install', '--no-audit', '--no-fund', `renovate@${version}`], {
    cwd: at,
  });
  if (exitCode !== 0) throw new Error(stderr);
  return at;
}
