import { hostname } from 'node:os';
import { startBuildWorker } from '../../workers/build.ts';
import type { DefinedJob, WorkerSettings } from '../../workers/parts.ts';
import { startProposeWorker } from '../../workers/propose.ts';
import { startReleaseWorker } from '../../workers/release.ts';
import type { Platform } from '../domain/platform.ts';
import type { Role, WorkerView } from '../domain/service/workers.ts';
import type { DiskRoom } from '../domain/staleness.ts';
import { endsWithin } from '../lib/within.ts';
import type { QueueWorker } from '../queue/worker.ts';
import { VERSION } from '../version.ts';
import { type BuildGate, createBuildGate } from './build-gate.ts';
import { every } from './every.ts';
import type { Host } from './host.ts';
import { cancelledBy, createJobParts } from './job-parts.ts';

export interface WorkerOptions {
  /** ULID. */
  readonly id: string;
  readonly roles: readonly Role[];
  readonly platforms: WorkerView['platforms'];
  /** Builds of one platform, and releases, side by side. */
  readonly concurrency: number;
  /** Where its builds write. */
  readonly disk: () => Promise<DiskRoom>;
  readonly onTrouble: (message: string) => void;
}

export interface WorkerProcess {
  readonly id: string;
  /** Takes nothing more, finishes what it has or hands it back. */
  stop(graceMs: number): Promise<void>;
}

type AnyWorker = QueueWorker<DefinedJob & { readonly platform?: Platform }>;

export interface Started {
  readonly role: Role;
  readonly worker: AnyWorker;
  readonly platform?: WorkerView['platforms'][number];
}

const BEAT_MS = 5_000;
/** How soon a native worker that came or went, or a full disk, is minded. */
const GATE_MS = 5_000;
/** Cancelling is to be felt within five seconds: this, and the time that buildctl takes to end. */
const CANCEL_MS = 1_000;

/** Saying that one goes is no reason to stay: where Redis is gone, silence says the same. */
const TELL_MS = 1_000;

/** Takes work of these roles and platforms, and says so where everybody can see it. */
export async function startWorkers(host: Host, options: WorkerOptions): Promise<WorkerProcess> {
  const settings = { ...host.queue, concurrency: options.concurrency };
  const started = startRoles(host, options, settings);
  const startedAt = new Date().toISOString();
  let stopping = false;
  const gate = createBuildGate(started, host, options.disk);
  const beat = () => host.store.beat(describe(started, options, { startedAt, stopping, gate }));
  const trouble = (error: unknown) => options.onTrouble(error instanceof Error ? error.message : String(error));
  await gate.look();
  await beat();
  await host.runs.look(); // what had to wait for somebody
  const timers = [
    every(BEAT_MS, beat, options.onTrouble),
    every(CANCEL_MS, () => cancelAsked(started, host), options.onTrouble),
    every(GATE_MS, () => gate.look(), options.onTrouble),
  ];
  return {
    id: options.id,
    async stop(graceMs) {
      stopping = true;
      await endsWithin(beat().catch(trouble), TELL_MS);
      await Promise.all(started.map(({ worker }) => worker.stop(graceMs)));
      for (const timer of timers) clearInterval(timer);
      await endsWithin(host.store.gone(options.id).catch(trouble), TELL_MS);
    },
  };
}

function startRoles(
  host: Host,
  { roles, platforms }: WorkerOptions,
  settings: WorkerSettings & { concurrency: number },
): Started[] {
  const emulated = new Set(platforms.flatMap(({ platform, how }) => (how === 'emulated' ? [platform] : [])));
  const parts = createJobParts(host, { emulated });
  const builds = platforms.map((platform): Started => {
    const worker = startBuildWorker(platform.platform, parts, {
      ...settings,
      paused: platform.how === 'emulated',
    }) as AnyWorker;
    return { role: 'build', platform, worker };
  });
  return [
    ...(roles.includes('build') ? builds : []),
    ...(roles.includes('release')
      ? [{ role: 'release', worker: startReleaseWorker(parts, settings) as AnyWorker } as const]
      : []),
    ...(roles.includes('propose')
      ? [{ role: 'propose', worker: startProposeWorker(parts, settings) as AnyWorker } as const]
      : []),
  ];
}

function describe(
  started: readonly Started[],
  { id, roles, platforms, concurrency }: WorkerOptions,
  { startedAt, stopping, gate }: { readonly startedAt: string; readonly stopping: boolean; readonly gate: BuildGate },
): WorkerView {
  const jobs = started.flatMap(({ role, worker }) =>
    worker.running().map(({ payload, startedAt: since }) => ({
      run: payload.runId ?? '',
      image: payload.image,
      role,
      ...(payload.platform && { platform: payload.platform }),
      startedAt: new Date(since).toISOString(),
    })),
  );
  const who = { id, host: hostname(), pid: process.pid, version: VERSION };
  const lowDisk = gate.lowDisk();
  const now = { seenAt: new Date().toISOString(), stopping, ...(lowDisk && { lowDisk }), jobs };
  return { ...who, roles, platforms, concurrency, startedAt, ...now };
}

async function cancelAsked(started: readonly Started[], { store }: Host): Promise<void> {
  const jobs = started.flatMap(({ worker }) => worker.running());
  const asked = await store.cancelled(jobs.flatMap(({ payload }) => payload.runId ?? []));
  for (const job of jobs) {
    const cancellation = job.payload.runId === undefined ? undefined : asked.get(job.payload.runId);
    if (cancellation !== undefined) job.cancel(cancelledBy(cancellation));
  }
}
