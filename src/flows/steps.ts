import { FactoryError } from '../domain/errors.ts';
import type { Platform } from '../domain/platform.ts';
import type { Outcome, StepRecord } from '../domain/run.ts';

/** How a run ends before its last step. */
export interface Ending {
  readonly outcome: Outcome;
  readonly summary: string;
}

/**
 * One step of a run. The same list drives execution, resuming, the live view, the ledger and the kill tests.
 * `isDone` looks at the registry under a name that the inputs decide, so that a killed run goes on where it was.
 */
export interface Step {
  readonly name: string;
  readonly platform?: Platform;
  /** Work of others: build, smoke commands, SBOM, scan, upload. The rest counts as our own time. */
  readonly external: boolean;
  isDone(signal: AbortSignal): Promise<boolean>;
  // biome-ignore lint/suspicious/noConfusingVoidType: most steps end with nothing to say
  run(signal: AbortSignal): Promise<Ending | void>;
}

/** Told of every change of a step, and of each line that a tool prints. */
export interface StepObserver {
  onStep(runId: string, step: StepRecord): Promise<void> | void;
  onLog?(runId: string, platform: Platform, line: string): void;
}

export interface StepContext {
  readonly runId: string;
  readonly observer: StepObserver;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Runs the stages in order, the steps of one stage side by side; stops at the first ending. */
export async function runSteps(
  stages: readonly (Step | readonly Step[])[],
  context: StepContext,
): Promise<Ending | undefined> {
  for (const stage of stages) {
    const steps: readonly Step[] = Array.isArray(stage) ? stage : [stage as Step];
    const results = await Promise.allSettled(steps.map((step) => runStep(step, context)));
    const failure = results.find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    const ending = results.find((result) => result.status === 'fulfilled' && result.value !== undefined);
    if (ending?.status === 'fulfilled') return ending.value ?? undefined;
  }
  return undefined;
}

async function runStep(step: Step, context: StepContext): Promise<Ending | undefined> {
  const { runId, observer, now, signal } = context;
  if (signal.aborted) throw new FactoryError('the run was cancelled', { code: 'cancelled', cause: signal.reason });
  const startedAt = now();
  const platform = step.platform === undefined ? {} : { platform: step.platform };
  const record = (state: StepRecord['state'], rest: Partial<StepRecord> = {}) =>
    observer.onStep(runId, { name: step.name, ...platform, state, startedAt, external: step.external, ...rest });
  try {
    if (await step.isDone(signal)) {
      await record('skipped', { endedAt: now() });
      return undefined;
    }
    await record('running');
    const ending = await step.run(signal);
    await record('done', { endedAt: now() });
    return ending ?? undefined;
  } catch (error) {
    await record('failed', { endedAt: now(), error: messageOf(error) });
    throw error;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
