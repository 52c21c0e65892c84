import { parseArgs } from 'node:util';
import { runOnce } from '../../src/commands/run-once.ts';
import { compose } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { readFleet } from '../../src/definitions/read.ts';
import type { StepRecord } from '../../src/domain/run.ts';
import { createHttp } from '../../src/lib/http.ts';
import type { RunEnd } from '../../src/queue/dispatcher.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { readLayers } from './archive.ts';
import { withThirdPlatform } from './fleet.ts';
import { type Cost, round, startMeasuring } from './measure.ts';
import { createRecordedBuilder, createRecordedCataloguer, createRecordedScanner, type Tally } from './recorded.ts';

/** What one cycle did and cost, as a process of its own, so that its memory is its own. */
export interface ScenarioResult extends Cost, Tally {
  readonly scenario: string;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Until the process has read the definitions and has all parts. */
  readonly startSeconds: number;
  /** Sums over images and platforms; steps of several images overlap. */
  readonly stepSeconds: Readonly<Record<string, number>>;
}

const { values: flags } = parseArgs({
  options: {
    scenario: { type: 'string', default: '' },
    root: { type: 'string', default: '.' },
    layers: { type: 'string', default: '' },
    platforms: { type: 'string', default: '0' },
  },
});

const { signal } = new AbortController();
const cost = startMeasuring();
const tally: Tally = { builds: 0, catalogued: 0, scans: 0 };
const steps: Record<string, number> = {};

const config = await readConfig({ root: flags.root });
const fleet = await readFleet(config.root);
const http = createHttp({ connectionsPerHost: 16, userAgent: 'ingot-bench', timeoutMs: 60_000 });
const app = await compose(config, {
  signal,
  onTrouble: (message) => void process.stderr.write(`${message}\n`),
  instead: {
    fleet: withThirdPlatform(fleet, { images: fleet.images.length, platforms: Number(flags.platforms) }),
    builder: createRecordedBuilder(createRegistry({ http }), tally, await readLayers(flags.layers)),
    cataloguer: createRecordedCataloguer(tally),
    scanner: createRecordedScanner(tally),
    onRequest: cost.onRequest,
  },
});
const startSeconds = cost.stop().seconds;
const result = await runOnce(app, { onStep: countStep, onEnd: complain, close() {} }, signal);
const measured = cost.stop();
await app.close();
await http.close();

const outcomes = Map.groupBy(result.runs, ({ outcome }) => outcome);
const answer: ScenarioResult = {
  scenario: flags.scenario,
  ...measured,
  startSeconds,
  ...tally,
  outcomes: Object.fromEntries([...outcomes].map(([outcome, runs]) => [outcome, runs.length])),
  stepSeconds: Object.fromEntries(
    Object.entries(steps)
      .sort(([, a], [, b]) => b - a)
      .map(([name, ms]) => [name, round(ms / 1000)]),
  ),
};
process.stdout.write(`${JSON.stringify(answer)}\n`);

function countStep(_run: string, { name, startedAt, endedAt }: StepRecord): void {
  if (endedAt !== undefined) steps[name] = (steps[name] ?? 0) + endedAt - startedAt;
}

/** On stderr, so that a figure of runs that failed is not taken for one of releases. */
function complain({ image, outcome, summary }: RunEnd): void {
  if (outcome !== 'released') process.stderr.write(`${image} ended as ${outcome}: ${summary}\n`);
}
