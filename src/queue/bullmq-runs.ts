import { FlowProducer, type Job, Queue } from 'bullmq';
import { z } from 'zod';
import { type Digest, zDigest } from '../domain/digest.ts';
import { candidateKey } from '../domain/inputs.ts';
import type { Platform } from '../domain/platform.ts';
import type { Priority } from '../domain/service/views.ts';
import { endsWithin } from '../lib/within.ts';
import type { DispatcherOptions } from './bullmq.ts';
import { redisOptions } from './connection.ts';
import { countQueue } from './counts.ts';
import { jobId, queueName } from './names.ts';
import { JOB_OPTIONS } from './options.ts';
import { PAYLOAD_VERSION } from './payloads.ts';
import type { QueuedRun, RunQueue } from './run-queue.ts';
import { setSchedules } from './schedules.ts';

const GOODBYE_MS = 2_000;
/** A run's builds have those of its release. */
const OPEN_STATES = ['active', 'waiting', 'waiting-children', 'prioritized', 'delayed'] as const;
const Definitions = z.object({ definitions: zDigest });

/** Lower goes first. Every job has one: BullMQ takes jobs without before all others (facts/queue.md 4). */
export const PRIORITY: Readonly<Record<Priority, number>> = {
  critical: 10,
  requested: 20,
  'base-change': 30,
  nightly: 40,
};

/** The queues of a factory that keeps running, in BullMQ. */
export function createRunQueue(options: DispatcherOptions): RunQueue {
  const shared = { connection: redisOptions(options.redis), prefix: options.prefix };
  const { telemetry } = options;
  const flows = new FlowProducer({ ...shared, ...(telemetry && { telemetry }) });
  flows.on('error', options.onError);
  const queues = new Map<string, Queue>();
  const queue = (name: string): Queue => {
    const known = queues.get(name) ?? new Queue(name, shared);
    if (!queues.has(name)) known.on('error', options.onError);
    queues.set(name, known);
    return known;
  };
  const once = (name: string, delayMs = 0) =>
    queue(name).add(
      name,
      { v: PAYLOAD_VERSION },
      { ...JOB_OPTIONS, attempts: 1, delay: delayMs, deduplication: { id: name, keepLastIfActive: true } },
    );
  return {
    async start(run) {
      await flows.add(flowOf(run));
    },
    has: async (run) => (await queue(queueName.release).getJob(releaseId(run))) !== undefined,
    remove: (run) => removeRun(run, queue),
    async propose(image, definitions, { delayMs, urgent } = {}) {
      const data = { v: PAYLOAD_VERSION, image, definitions };
      if (delayMs !== undefined) {
        const opts = { ...JOB_OPTIONS, priority: PRIORITY.nightly, delay: delayMs };
        // One a minute will do, and one that runs may ask for the next
        const jobId = `propose-${image}-${Math.ceil((Date.now() + delayMs) / 60_000)}`;
        // By the definitions of its time, not of now: downstreams may be gone by then
        await queue(queueName.propose).add('later', { v: PAYLOAD_VERSION, image }, { ...opts, jobId });
        return;
      }
      await queue(queueName.propose).add('propose', data, {
        ...JOB_OPTIONS,
        priority: urgent ? PRIORITY.critical : PRIORITY.requested,
        deduplication: { id: image, keepLastIfActive: true },
      });
    },
    async look({ delayMs = 0 } = {}) {
      // A delayed job would be the one that waits, and keep those that are for now from being added
      await (delayMs === 0
        ? once(queueName.plan)
        : queue(queueName.plan).add('later', { v: PAYLOAD_VERSION }, { ...JOB_OPTIONS, delay: delayMs }));
    },
    async follow() {
      await once(queueName.follow);
    },
    setSchedules: (schedules) => setSchedules(queue(queueName.schedules), schedules),
    async nextTimes() {
      const schedulers = await queue(queueName.schedules).getJobSchedulers();
      return new Map(schedulers.flatMap(({ key, next }) => (next ? [[key, new Date(next).toISOString()]] : [])));
    },
    definitions: () => definitionsIn([queueName.release, queueName.propose].map(queue)),
    counts: (platforms) =>
      Promise.all([
        ...platforms.map((platform) => countQueue(queue(queueName.build(platform)), { role: 'build', platform })),
        countQueue(queue(queueName.release), { role: 'release' }),
        countQueue(queue(queueName.propose), { role: 'propose' }),
        countQueue(queue(queueName.plan), { role: 'scheduler' }),
        countQueue(queue(queueName.follow), { role: 'scheduler' }),
      ]),
    async close() {
      await Promise.all([flows, ...queues.values()].map(letGo));
    },
  };
}

/** A Redis that is gone answers no goodbye. */
async function letGo(part: Queue | FlowProducer): Promise<void> {
  const isOver = await endsWithin(
    part.close().catch(() => undefined),
    GOODBYE_MS,
  );
  if (!isOver) await endsWithin(part.disconnect(), GOODBYE_MS).catch(() => undefined);
}

/** A run of its own has job ids of its own: those of one that was cancelled may still be there. */
function releaseId({ image, inputs, runId }: QueuedRun): string {
  return `${jobId.release(image, candidateKey(inputs))}-${runId}`;
}

function buildId({ image, inputs, runId }: QueuedRun, platform: Platform): string {
  return `${jobId.build(image, candidateKey(inputs), platform)}-${runId}`;
}

function flowOf(run: QueuedRun) {
  const { runId, image, inputs, reasons, definitions, priority } = run;
  const data = { v: PAYLOAD_VERSION, runId, image, inputs, definitions };
  const opts = { ...JOB_OPTIONS, priority: PRIORITY[priority] };
  return {
    name: 'release',
    queueName: queueName.release,
    data: { ...data, reasons },
    opts: { ...opts, jobId: releaseId(run) },
    children: inputs.platforms.map((platform) => ({
      name: 'build',
      queueName: queueName.build(platform),
      data: { ...data, platform },
      opts: { ...opts, jobId: buildId(run, platform), ignoreDependencyOnFailure: true },
    })),
  };
}

async function removeRun(run: QueuedRun, queue: (name: string) => Queue): Promise<boolean> {
  const builds = run.inputs.platforms.map((platform) =>
    queue(queueName.build(platform)).getJob(buildId(run, platform)),
  );
  await Promise.all(builds.map(async (job) => removeIdle(await job)));
  const rest = await Promise.all(
    run.inputs.platforms.map((platform) => queue(queueName.build(platform)).getJob(buildId(run, platform))),
  );
  if (rest.some((job) => job !== undefined)) return false;
  return removeIdle(await queue(queueName.release).getJob(releaseId(run)));
}

/** One that a worker has is left: it ends by itself. */
async function removeIdle(job: Job | undefined): Promise<boolean> {
  if (job === undefined) return true;
  try {
    await job.remove({ removeChildren: false });
    return true;
  } catch {
    return false;
  }
}

async function definitionsIn(queues: readonly Queue[]): Promise<readonly Digest[]> {
  const jobs = (await Promise.all(queues.map((each) => each.getJobs([...OPEN_STATES])))).flat();
  return [...new Set(jobs.flatMap((job) => Definitions.safeParse(job?.data).data?.definitions ?? []))];
}
