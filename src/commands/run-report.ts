import type { Digest } from '../domain/digest.ts';
import type { Platform } from '../domain/platform.ts';
import type { Outcome, Run, StepRecord } from '../domain/run.ts';
import type { Reason } from '../domain/staleness.ts';
import type { StageReport } from '../flows/stages.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ProposeEnd } from '../queue/dispatcher.ts';
import type { OnceResult } from './run-once.ts';

/** One cycle, as `--json` prints it and the demo's summary keeps it. */
export interface CycleReport {
  readonly runs: readonly RunReport[];
  readonly plan: readonly { readonly image: string; readonly state: string; readonly version?: string }[];
  readonly proposals: readonly ProposeEnd[];
  /** Channels that moved as a later stage, and what kept others from it. */
  readonly stages: readonly Pick<StageReport, 'image' | 'moved' | 'problems'>[];
  /** What releases in use lacked in the registry. */
  readonly repairs: OnceResult['repairs'];
  readonly replicas: OnceResult['replicas'];
  /** Wall-clock seconds of the cycle. */
  readonly seconds: number;
  /** Of these, the seconds in which no tool of others was at work: our own share. */
  readonly ownSeconds: number;
}

export interface RunReport {
  readonly id: string;
  readonly image: string;
  readonly reasons: readonly Reason[];
  readonly outcome: Outcome;
  readonly summary: string;
  /** What changed although the inputs did not. */
  readonly differs?: readonly string[];
  readonly version?: string;
  readonly digest?: Digest;
  readonly platforms: Readonly<
    Record<Platform, { readonly digest?: Digest; readonly seconds: Readonly<Record<string, number>> }>
  >;
  /** Steps that concern all platforms. */
  readonly seconds: Readonly<Record<string, number>>;
}

export async function cycleReport(
  { runs, plan, proposals, stages, repairs, replicas }: OnceResult,
  ledger: Ledger,
  { startedAt, endedAt }: { startedAt: number; endedAt: number },
): Promise<CycleReport> {
  const kept = await Promise.all(runs.map(({ runId }) => ledger.run(runId)));
  const known = kept.filter((run) => run !== undefined);
  const external = known.flatMap(({ steps }) => steps.filter((step) => step.external && step.state !== 'skipped'));
  return {
    runs: known.map(toRunReport),
    plan: plan.map(({ image, state, release }) => ({ image, state, ...(release && { version: release.version }) })),
    proposals,
    stages: stages.map(({ image, moved, problems }) => ({ image, moved, problems })),
    repairs,
    replicas,
    seconds: toSeconds(endedAt - startedAt),
    ownSeconds: toSeconds(endedAt - startedAt - covered(external)),
  };
}

function toRunReport(run: Run): RunReport {
  const {
    id,
    image,
    reasons,
    outcome = 'failed',
    summary = '',
    differs,
    version,
    digest,
    platforms,
    platformDigests,
    steps,
  } = run;
  const perPlatform = platforms.map((platform) => {
    const child = platformDigests?.[platform];
    return [
      platform,
      { ...(child && { digest: child }), seconds: secondsOf(steps.filter((step) => step.platform === platform)) },
    ];
  });
  const common = secondsOf(steps.filter((step) => step.platform === undefined));
  const found = { ...(version && { version }), ...(digest && { digest }) };
  return {
    id,
    image,
    reasons,
    outcome,
    summary,
    ...(differs && { differs }),
    ...found,
    platforms: Object.fromEntries(perPlatform),
    seconds: common,
  };
}

function secondsOf(steps: readonly StepRecord[]): Record<string, number> {
  return Object.fromEntries(
    steps.map((step) => [step.name, toSeconds((step.endedAt ?? step.startedAt) - step.startedAt)]),
  );
}

/** Milliseconds that at least one of the steps covers. */
export function covered(steps: readonly Pick<StepRecord, 'startedAt' | 'endedAt'>[]): number {
  const spans = steps
    .map(({ startedAt, endedAt = startedAt }) => [startedAt, endedAt] as const)
    .sort((a, b) => a[0] - b[0]);
  let total = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const [start, end] of spans) {
    total += Math.max(0, end - Math.max(start, until));
    until = Math.max(until, end);
  }
  return total;
}

function toSeconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
