import type { Outcome, StepRecord } from '../../domain/run.ts';

/** What is shown of one run. */
export interface BoardRun {
  readonly runId: string;
  readonly image: string;
  readonly why: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly outcome?: Outcome;
  readonly summary?: string;
  /** By name and platform, in the order of their start. */
  readonly steps: readonly StepRecord[];
}

/** Rows of a run: one a platform, and one for the steps that concern all. */
export interface BoardRow {
  readonly label: string;
  readonly steps: readonly StepRecord[];
}

export function rowsOf(run: BoardRun): readonly BoardRow[] {
  const platforms = [...new Set(run.steps.flatMap((step) => step.platform ?? []))].sort();
  const common = run.steps.filter((step) => step.platform === undefined);
  const rows = platforms.map((label) => ({
    label: String(label),
    steps: run.steps.filter((step) => step.platform === label),
  }));
  return common.length === 0 ? rows : [...rows, { label: 'release', steps: common }];
}

/** Adds a step's record, or replaces the one of the same name and platform. */
export function withStep(run: BoardRun, step: StepRecord): BoardRun {
  const same = (other: StepRecord) => other.name === step.name && other.platform === step.platform;
  const known = run.steps.some(same);
  return { ...run, steps: known ? run.steps.map((other) => (same(other) ? step : other)) : [...run.steps, step] };
}

/** `0.4 s`, `12 s`, `3 min 5 s`. */
export function formatSeconds(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
