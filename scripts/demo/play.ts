import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { styleText } from 'node:util';
import { formatSeconds } from '../../src/commands/live/board.ts';
import { planLine } from '../../src/commands/live/plan-line.ts';
import { createView } from '../../src/commands/live/view.ts';
import { createOutput } from '../../src/commands/output.ts';
import { pullsShow } from '../../src/commands/pulls.ts';
import { exitCodeOf } from '../../src/commands/run.ts';
import { runOnce } from '../../src/commands/run-once.ts';
import { type CycleReport, cycleReport } from '../../src/commands/run-report.ts';
import { type App, compose } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { repositoryOf } from '../../src/domain/reference.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { makeDownstream, shopFiles } from './downstream.ts';
import { writeFleet } from './fleet.ts';
import { writeSummary } from './summary.ts';
import { makeUpstream, type Upstream } from './upstream.ts';
import { makeDatabase } from './vulnerabilities.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
/** ingot.yaml, images/ and the data directory of the demo; made anew each time. */
const DEMO = join(ROOT, '.ingot', 'demo');
/** What costs minutes and never changes: base file systems, vulnerability database. */
const CACHE = join(ROOT, '.ingot', 'demo-cache');
const SHOP = join(DEMO, 'shop.git');

const output = createOutput(process.stdout, process.stderr);
const say = output.line;

export interface DemoOptions {
  /** Leave everything running until Ctrl-C. */
  readonly hold: boolean;
  readonly signal: AbortSignal;
}

/** Two nights of an organisation's life, and a third in which nothing happens. Returns the exit code. */
export async function playDemo({ hold, signal }: DemoOptions): Promise<number> {
  await rm(DEMO, { recursive: true, force: true });
  heading('What upstream publishes, made from the distribution’s own packages');
  const upstream = await timed('base images', () => makeUpstream(CACHE));
  const database = await timed('vulnerability database', () => makeDatabase(CACHE));
  const dataDirectory = join(DEMO, '.ingot');
  const embedded = await startEmbedded({ dataDirectory, needs: { registry: true }, signal });
  try {
    await writeFleet({
      images: join(ROOT, 'images'),
      folder: DEMO,
      registry: embedded.registry!,
      database,
      downstream: SHOP,
    });
    const config = await readConfig({ root: DEMO, dataDirectory });
    const app = await compose(config, { signal, onTrouble: (message) => void process.stderr.write(`${message}\n`) });
    try {
      return await playNights(app, upstream, { hold, signal });
    } finally {
      await app.close();
    }
  } finally {
    await embedded.close();
  }
}

async function playNights(app: App, upstream: Upstream, { hold, signal }: DemoOptions): Promise<number> {
  const nights: CycleReport[] = [];
  await makeDownstream(SHOP, { 'README.md': '# Shop\n' });
  heading('Night one: the fleet is released for the first time');
  await upstream.publish(app, 'night-1');
  nights.push(await playCycle(app, signal));
  await makeDownstream(SHOP, shopFiles(await pinsOf(app, nights[0]!)));
  say(`a downstream repository, ${SHOP}, now pins these releases`);
  heading('Night two: upstream published a new digest');
  await upstream.publish(app, 'night-2');
  nights.push(await playCycle(app, signal));
  heading('Night three: nothing has changed');
  nights.push(await playCycle(app, signal));
  heading('The pull request that night two opened');
  const context = { repositories: await app.downstreams.list(signal), json: false, print: say, signal };
  await pullsShow('1', context);
  await writeSummary(join(DEMO, 'summary.json'), app, nights, signal);
  sayWhatToLookAt(app, nights);
  if (hold) await holdOn(app, signal);
  return nights.every((night) => night.runs.every(({ outcome }) => outcome === 'released' || outcome === 'unchanged'))
    ? 0
    : 1;
}

/** The product's own cycle, as `ingot run` does it. */
async function playCycle(app: App, signal: AbortSignal): Promise<CycleReport> {
  const startedAt = Date.now();
  const view = createView({ stream: output.progress, now: Date.now, verbose: false });
  const result = await runOnce(app, view, signal);
  view.close();
  const report = await cycleReport(result, app.ledger, { startedAt, endedAt: Date.now() });
  const ran = new Set(result.runs.map(({ image }) => image));
  for (const entry of result.plan) if (!ran.has(entry.image)) say(`${entry.image}: ${planLine(entry)}`);
  for (const { image, outcome, summary } of result.runs)
    if (outcome !== 'released') say(`${image}: ${outcome}: ${summary}`);
  say(`took ${formatSeconds(report.seconds * 1000)}, of which our own code ${formatSeconds(report.ownSeconds * 1000)}`);
  if (exitCodeOf(result) !== 0) throw new Error('a night did not end well; see above');
  return report;
}

async function pinsOf(app: App, { runs }: CycleReport): Promise<{ python: string; static: string }> {
  const pin = (name: string) => {
    const run = runs.find(({ image }) => image === name);
    return `${repositoryOf(app.places.release(name))}:${run?.version}@${run?.digest}`;
  };
  return { python: pin('python'), static: pin('static') };
}

function sayWhatToLookAt(app: App, nights: readonly CycleReport[]): void {
  heading('Where the time went');
  nights.forEach((night, index) => {
    const steps = stepTotals(night).map(([name, seconds]) => `${name} ${formatSeconds(seconds * 1000)}`);
    say(
      `night ${index + 1}: ${formatSeconds(night.seconds * 1000)}${steps.length === 0 ? '' : ` (sums over images and platforms: ${steps.join(', ')})`}`,
    );
  });
  heading('To look further');
  const python = nights[1]?.runs.find(({ image }) => image === 'python');
  for (const verb of [
    'status',
    'plan',
    'pulls',
    'render python',
    `verify ${repositoryOf(app.places.release('python'))}:${python?.version}`,
  ]) {
    say(`  npx --no ingot ${verb} -C .ingot/demo`);
  }
  say('  cat .ingot/demo/summary.json');
}

/** The steps that took longest, summed over images and platforms. */
function stepTotals({ runs }: CycleReport): [string, number][] {
  const totals = new Map<string, number>();
  const spans = runs.flatMap((run) => [run.seconds, ...Object.values(run.platforms).map(({ seconds }) => seconds)]);
  for (const span of spans)
    for (const [name, seconds] of Object.entries(span)) totals.set(name, (totals.get(name) ?? 0) + seconds);
  return [...totals].sort((a, b) => b[1] - a[1]).filter(([, seconds]) => seconds >= 0.1);
}

async function holdOn(app: App, signal: AbortSignal): Promise<void> {
  heading('Everything stays up until Ctrl-C');
  say(`registry  http://${app.places.release('debian').registry}/v2/_catalog`);
  say(`shop      ${SHOP}`);
  if (!signal.aborted) await once(signal, 'abort');
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const result = await work();
  say(`${what}: ${formatSeconds(Date.now() - started)}`);
  return result;
}

function heading(text: string): void {
  say(`\n${styleText(['bold', 'cyan'], text)}`);
}
