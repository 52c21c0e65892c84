import type { JobParts, PartsOf } from '../../workers/parts.ts';
import { readied } from '../compose/builders.ts';
import { runDeps } from '../compose/session.ts';
import type { AssembledApp } from '../compose.ts';
import type { Digest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Platform } from '../domain/platform.ts';
import { createProposer } from '../flows/proposals.ts';
import { createRecorder } from '../flows/recorder.ts';
import type { StepObserver } from '../flows/steps.ts';
import type { Cancellation, ServiceStore } from '../ledger/store.ts';
import type { RunEnd } from '../queue/dispatcher.ts';
import { queueName } from '../queue/names.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import type { Host } from './host.ts';

/** Gives each job the factory for the definitions that it is made from. */
export function createJobParts(
  { store, runs, withApp }: Host,
  { emulated = new Set() }: { readonly emulated?: ReadonlySet<Platform> } = {},
): PartsOf {
  return async (job, signal, use) => {
    const definitions = job.definitions ?? (await store.definitions())?.digest;
    if (definitions === undefined) {
      throw new FactoryError('no definitions are known yet', { code: 'unavailable', retryable: true });
    }
    return withApp(definitions, async (app) => {
      const { parts, flush } = partsOf(app, { image: job.image, definitions }, { store, runs, emulated });
      try {
        return await use(parts, await withCancellation(job.runId, signal, store));
      } finally {
        await flush();
      }
    });
  };
}

function partsOf(
  app: AssembledApp,
  { image, definitions }: { readonly image: string; readonly definitions: Digest },
  { store, runs, emulated }: Pick<Host, 'store' | 'runs'> & { readonly emulated: ReadonlySet<Platform> },
): { parts: JobParts; flush(): Promise<void> } {
  const recorder = createRecorder(app.ledger, {
    async onStep(run, { name: step, platform, state, error }) {
      const where = { run, image, step, ...(platform && { platform }) };
      await store.tell({ type: 'run.step', ...where, state, ...(error && { error }) });
    },
  });
  const observer: StepObserver = {
    ...recorder,
    onStep: (id, step) =>
      recorder.onStep(id, step.platform && emulated.has(step.platform) ? { ...step, emulated: true } : step),
  };
  const run = runDeps({ ...app.session, builder: readied(app.builders) }, observer);
  return {
    parts: {
      run,
      async propose(name, signal) {
        const end = await createProposer({ ...app.session, ...run.release })(name, signal);
        if (end.nextAt !== undefined) {
          await runs.propose(name, definitions, { delayMs: Math.max(0, Date.parse(end.nextAt) - Date.now()) });
        }
        return end;
      },
      ended: (end) => tellEnd(end, store, runs),
    },
    flush: () => recorder.flush(),
  };
}

/** In this order: who sees that the image is free again must also see that it changed. */
async function tellEnd(end: RunEnd, store: ServiceStore, runs: RunQueue): Promise<void> {
  const { runId: run, image, outcome, summary, version, digest } = end;
  await store.changed([image]);
  await store.ended(image, run);
  if (outcome === 'failed') await store.failed(queueName.release);
  await store.tell({
    ...{ type: 'run.ended', run, image, outcome, summary },
    ...(version && { version }),
    ...(digest && { digest }),
  });
  await runs.look();
}

/** A run that was cancelled before this job began ends as such. */
async function withCancellation(runId: string | undefined, signal: AbortSignal, store: ServiceStore) {
  if (runId === undefined) return signal;
  const cancellation = (await store.cancelled([runId])).get(runId);
  return cancellation === undefined ? signal : AbortSignal.any([signal, AbortSignal.abort(cancelledBy(cancellation))]);
}

export function cancelledBy(cancellation: Cancellation): FactoryError<'cancelled'> {
  const { by, reason } = cancellation;
  return new FactoryError(`cancelled by ${by}${reason ? `: ${reason}` : ''}`, {
    code: 'cancelled',
    details: { cancelled: cancellation },
  });
}
