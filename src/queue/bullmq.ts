import { FlowProducer, Queue, QueueEvents, type Telemetry } from 'bullmq';
import { candidateKey } from '../domain/inputs.ts';
import type { Platform } from '../domain/platform.ts';
import { type RedisAddress, redisOptions } from './connection.ts';
import type { Dispatcher, ProposeEnd, RunEnd, RunRequest } from './dispatcher.ts';
import { jobId, queueName } from './names.ts';
import { JOB_OPTIONS } from './options.ts';
import { PAYLOAD_VERSION } from './payloads.ts';

export interface DispatcherOptions {
  readonly redis: RedisAddress;
  readonly prefix: string;
  readonly onError: (error: Error) => void;
  /** See tracing.ts. Absent: nothing is traced. */
  readonly telemetry?: Telemetry | undefined;
}

/**
 * Hands runs to BullMQ: one flow a run, the release job waiting for its platform jobs. A platform that failed does
 * not keep the release job waiting for ever: it runs, and ends the run as failed (facts/queue.md 6).
 */
export async function createDispatcher(options: DispatcherOptions): Promise<Dispatcher & { close(): Promise<void> }> {
  const shared = { connection: redisOptions(options.redis), prefix: options.prefix };
  const flows = new FlowProducer(shared);
  const events = new QueueEvents(queueName.release, shared);
  const proposals = new Queue(queueName.propose, shared);
  const proposed = new QueueEvents(queueName.propose, shared);
  flows.on('error', options.onError);
  proposals.on('error', options.onError);
  for (const part of [events, proposed]) part.on('error', options.onError);
  await Promise.all([events.waitUntilReady(), proposed.waitUntilReady()]);
  const ends = watchEnds(events);
  return {
    async start(run) {
      await flows.add(flowOf(run));
    },
    ended: (signal) => ends.next(signal),
    async propose(image) {
      const data = { v: PAYLOAD_VERSION, image };
      const job = await proposals.add('propose', data, { ...JOB_OPTIONS, jobId: `propose-${image}` });
      return (await job.waitUntilFinished(proposed)) as ProposeEnd;
    },
    async close() {
      await Promise.all([flows.close(), events.close(), proposals.close(), proposed.close()]);
    },
  };
}

function flowOf({ runId, image, inputs, reasons }: RunRequest) {
  const key = candidateKey(inputs);
  const data = { v: PAYLOAD_VERSION, runId, image, inputs };
  return {
    name: 'release',
    queueName: queueName.release,
    data: { ...data, reasons },
    opts: { ...JOB_OPTIONS, jobId: jobId.release(image, key) },
    children: inputs.platforms.map((platform: Platform) => ({
      name: 'build',
      queueName: queueName.build(platform),
      data: { ...data, platform },
      opts: { ...JOB_OPTIONS, jobId: jobId.build(image, key, platform), ignoreDependencyOnFailure: true },
    })),
  };
}

/** Ends arrive as events; those that nobody waits for yet are kept in order. */
function watchEnds(events: QueueEvents) {
  const kept: RunEnd[] = [];
  let wake: (() => void) | undefined;
  const push = (end: RunEnd) => {
    kept.push(end);
    wake?.();
  };
  events.on('completed', ({ returnvalue }) => push(toEnd(returnvalue)));
  events.on('failed', ({ jobId: id, failedReason }) => push(lostEnd(id, failedReason)));
  return {
    async next(signal: AbortSignal): Promise<RunEnd> {
      while (kept.length === 0) {
        signal.throwIfAborted();
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
      return kept.shift()!;
    },
  };
}

function toEnd(returnvalue: unknown): RunEnd {
  return (typeof returnvalue === 'string' ? JSON.parse(returnvalue) : returnvalue) as RunEnd;
}

/** A release job that failed before it could say how: cancelled with its worker, or given up by the queue. */
function lostEnd(id: string, reason: string): RunEnd {
  const image = id.replace(/-[0-9a-f]{32}$/, '');
  return { runId: id, image, outcome: 'failed', summary: reason };
}

/** Takes out whatever a killed process left. Only for who owns the Redis: the plan is made anew (decisions 12). */
export async function emptyQueues(options: DispatcherOptions, platforms: readonly Platform[]): Promise<void> {
  const names = [queueName.release, queueName.propose, ...platforms.map(queueName.build)];
  for (const name of names) {
    const queue = new Queue(name, { connection: redisOptions(options.redis), prefix: options.prefix });
    queue.on('error', options.onError);
    await queue.obliterate({ force: true });
    await queue.close();
  }
}
