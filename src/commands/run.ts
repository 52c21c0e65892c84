import type { App } from '../compose.ts';
import type { Run } from '../domain/run.ts';
import type { CycleResult } from '../flows/cycle.ts';
import { stageLines } from './channels.ts';
import { formatSeconds } from './live/board.ts';
import { planLine } from './live/plan-line.ts';
import { createView } from './live/view.ts';
import type { Output } from './output.ts';
import { replicaLines } from './replicate.ts';
import { requireImages } from './require-images.ts';
import { type OnceResult, repairLines, runOnce } from './run-once.ts';
import { cycleReport } from './run-report.ts';

export interface RunOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  /** Images to build anew although nothing changed that ingot can see. */
  readonly rebuild?: readonly string[];
  readonly signal: AbortSignal;
}

/** `ingot run`: one whole cycle. Returns the exit code. */
export async function runCommand(app: App, output: Output, options: RunOptions): Promise<number> {
  requireImages(options.rebuild ?? [], app.fleet.images);
  const startedAt = Date.now();
  const view = createView({ stream: output.progress, now: Date.now, verbose: options.verbose });
  const at = new Date(startedAt).toISOString();
  const by = app.config.person;
  const requested = new Map((options.rebuild ?? []).map((name) => [name, { by, at }]));
  const result = await runOnce({ ...app, cycle: { ...app.cycle, requested } }, view, options.signal);
  view.close();
  const report = await cycleReport(result, app.ledger, { startedAt, endedAt: Date.now() });
  if (options.json) output.json(report);
  else await printResult(app, output, result, Date.now() - startedAt);
  return exitCodeOf(result);
}

async function printResult(
  app: App,
  output: Output,
  { plan, runs, stages, repairs, replicas }: OnceResult,
  milliseconds: number,
): Promise<void> {
  const ran = new Set(runs.map(({ image }) => image));
  for (const entry of plan) if (!ran.has(entry.image)) output.line(`${entry.image}: ${planLine(entry)}`);
  for (const end of runs) {
    if (end.outcome === 'blocked') output.line(`${end.image} is blocked:\n${indent(end.summary)}`);
    if (end.outcome === 'failed') await printFailure(app, output, end.image, end.runId, end.summary);
  }
  for (const line of [...repairLines(repairs), ...stageLines(stages), ...replicaLines(replicas)]) output.line(line);
  output.line(`${summaryOf(runs)} in ${formatSeconds(milliseconds)}`);
}

/** The last lines of the build's own output, not ours. */
async function printFailure(app: App, output: Output, image: string, runId: string, summary: string): Promise<void> {
  output.line(`${image} failed: ${summary}`);
  const run: Run | undefined = await app.ledger.run(runId);
  for (const step of run?.steps ?? []) {
    if (step.state !== 'failed' || step.platform === undefined) continue;
    const lines = (await app.ledger.log(runId, step.platform)).slice(-20);
    if (lines.length > 0) output.line(`last lines of ${step.name} on ${step.platform}:\n${indent(lines.join('\n'))}`);
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}

function summaryOf(runs: OnceResult['runs']): string {
  if (runs.length === 0) return 'nothing to do';
  const outcomes = [...new Set(runs.map(({ outcome }) => outcome))];
  return outcomes.map((outcome) => `${runs.filter((run) => run.outcome === outcome).length} ${outcome}`).join(', ');
}

type ExitFacts = CycleResult & Partial<Pick<OnceResult, 'repairs'>>;

/** 1 failed, 3 blocked, 4 something could not be asked, 130 cancelled, 0 the rest (decisions.md, Outcomes). */
export function exitCodeOf({ plan, runs, proposals, stages, replicas, repairs = [] }: ExitFacts): number {
  const outcomes = runs.map(({ outcome }) => outcome);
  if (outcomes.includes('cancelled')) return 130;
  if (outcomes.includes('failed')) return 1;
  if (outcomes.includes('blocked')) return 3;
  const unasked = proposals.some(({ results }) => results.some(({ action }) => action === 'unknown'));
  const stuck = stages.some(({ problems }) => problems.length > 0);
  const behind = replicas.some(({ unreachable, problems }) => unreachable !== undefined || problems.length > 0);
  const unrepaired = repairs.some(({ unknown }) => unknown !== undefined);
  return unasked || stuck || behind || unrepaired || plan.some(({ state }) => state === 'unknown') ? 4 : 0;
}
