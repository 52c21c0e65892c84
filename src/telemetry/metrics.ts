import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { OUTCOMES } from '../domain/run.ts';

/** What this process counts. What is the whole fleet's is told by one process: see `fleet-metrics.ts`. */
export interface ProcessMetrics {
  readonly registry: Registry;
  readonly runs: Counter<'outcome' | 'reason' | 'image'>;
  readonly runSeconds: Histogram<'outcome'>;
  readonly stepSeconds: Histogram<'step' | 'platform' | 'result'>;
  readonly changeToRelease: Histogram;
  readonly jobsFailed: Counter<'queue'>;
  readonly registryRequests: Counter<'registry' | 'method' | 'kind' | 'status'>;
  readonly signatures: Counter<'kind' | 'result'>;
  readonly verifications: Counter<'format' | 'result'>;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From what a look at the registry takes to the longest build by emulation. */
const STEP_BUCKETS = [1, 2, 5, 10, 20, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR];
const RUN_BUCKETS = [10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR];
const FRESHNESS_BUCKETS = [15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 3 * DAY];

/** @param about of `ingot_build_info`; `dataDirectory` is where the disk is looked at */
export function createProcessMetrics(about: {
  readonly version: string;
  readonly dataDirectory: string;
}): ProcessMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  addBuildInfo(registers, about.version);
  addDisk(registers, about.dataDirectory);
  return start({
    registry,
    runs: new Counter({
      ...{ name: 'ingot_runs_total', registers, labelNames: ['outcome', 'reason', 'image'] },
      help: 'Runs that ended, by outcome, by the reason that names them, and by image.',
    }),
    runSeconds: new Histogram({
      ...{ name: 'ingot_run_duration_seconds', registers, labelNames: ['outcome'], buckets: RUN_BUCKETS },
      help: 'From the start of a run, waiting in queues included, to its end.',
    }),
    stepSeconds: new Histogram({
      ...{ name: 'ingot_step_duration_seconds', registers, buckets: STEP_BUCKETS },
      labelNames: ['step', 'platform', 'result'],
      help: 'Steps of runs that had something to do; platform is empty for those of all platforms.',
    }),
    changeToRelease: new Histogram({
      ...{ name: 'ingot_change_to_release_seconds', registers, buckets: FRESHNESS_BUCKETS },
      help: 'From the time that an upstream gives its new image to the release that contains it.',
    }),
    jobsFailed: new Counter({
      ...{ name: 'ingot_jobs_failed_total', registers, labelNames: ['queue'] },
      help: 'Attempts at jobs that failed, for now or for good.',
    }),
    registryRequests: new Counter({
      ...{ name: 'ingot_registry_requests_total', registers, labelNames: ['registry', 'method', 'kind', 'status'] },
      help: 'Requests to registries; status is "none" where no answer came.',
    }),
    signatures: new Counter({
      ...{ name: 'ingot_signatures_total', registers, labelNames: ['kind', 'result'] },
      help: 'Signatures and attestations that were to be published.',
    }),
    verifications: new Counter({
      ...{ name: 'ingot_signature_verifications_total', registers, labelNames: ['format', 'result'] },
      help: 'Signatures that were read back and verified as a consumer would.',
    }),
  });
}

/** Series that an alert asks the increase of are there from the beginning: the first of its kind counts, too. */
function start(metrics: ProcessMetrics): ProcessMetrics {
  for (const kind of ['signature', 'attestation']) {
    for (const result of ['done', 'failed']) metrics.signatures.inc({ kind, result }, 0);
  }
  for (const format of ['bundle', 'legacy']) {
    for (const result of ['valid', 'missing', 'invalid']) metrics.verifications.inc({ format, result }, 0);
  }
  for (const outcome of OUTCOMES) metrics.runSeconds.zero({ outcome });
  return metrics;
}

function addBuildInfo(registers: Registry[], version: string): void {
  const help = 'Which ingot this process is; always 1.';
  new Gauge({ name: 'ingot_build_info', help, registers, labelNames: ['version'] }).set({ version }, 1);
}

/** Asked when somebody scrapes. */
function addDisk(registers: Registry[], dataDirectory: string): void {
  const add = (name: string, help: string, bytes: (disk: StatsFs) => number) =>
    new Gauge({
      ...{ name, help, registers },
      async collect() {
        const disk = await statfs(dataDirectory).catch(() => undefined);
        if (disk === undefined) this.remove();
        else this.set(bytes(disk));
      },
    });
  add('ingot_data_size_bytes', 'Size of the disk of the data directory.', ({ blocks, bsize }) => blocks * bsize);
  add('ingot_data_free_bytes', 'What is free there for this process.', ({ bavail, bsize }) => bavail * bsize);
}
