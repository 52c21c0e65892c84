import { createLogUpdate } from 'log-update';
import type { PlanEntry } from '../../domain/plan.ts';
import type { Platform } from '../../domain/platform.ts';
import { explainReason } from '../../domain/reasons.ts';
import type { StepRecord } from '../../domain/run.ts';
import type { CycleObserver } from '../../flows/cycle.ts';
import type { StepObserver } from '../../flows/steps.ts';
import type { RunEnd } from '../../queue/dispatcher.ts';
import { type BoardRun, formatSeconds, withStep } from './board.ts';
import { proposalLines } from './proposal-lines.ts';
import { renderBoard } from './render.ts';

/** Shows a cycle while it runs. */
export interface View extends StepObserver, CycleObserver {
  close(): void;
}

export interface ViewOptions {
  readonly stream: NodeJS.WriteStream;
  readonly now: () => number;
  /** Streams what the builds print. */
  readonly verbose: boolean;
}

export function createView(options: ViewOptions): View {
  return options.stream.isTTY && !options.verbose ? createLiveView(options) : createPlainView(options);
}

/** Redraws the board ten times a second at most, in place. */
function createLiveView({ stream, now }: ViewOptions): View {
  const runs = new Map<string, BoardRun>();
  const notes: string[] = [];
  const update = createLogUpdate(stream);
  const draw = () => {
    const board = renderBoard([...runs.values()], { now: now(), width: stream.columns ?? 100 });
    update([board, ...notes].join('\n'));
  };
  const timer = setInterval(draw, 100).unref();
  const change = (id: string, edit: (run: BoardRun) => BoardRun) => {
    const run = runs.get(id);
    if (run !== undefined) runs.set(id, edit(run));
  };
  return {
    onStart: (runId, entry) => void runs.set(runId, startOf(runId, entry, now())),
    onStep: (runId, step) => change(runId, (run) => withStep(run, step)),
    onEnd: (end) => change(end.runId, (run) => ({ ...run, ...shownEnd(end), endedAt: now() })),
    onProposed: (end) => void notes.push(...proposalLines(end)),
    close() {
      clearInterval(timer);
      draw();
      update.done();
    },
  };
}

/** One line a change: for logs and pipes. */
function createPlainView({ stream, now, verbose }: ViewOptions): View {
  const runs = new Map<string, BoardRun>();
  const print = (line: string) => stream.write(`${line}\n`);
  return {
    onStart(runId, entry) {
      runs.set(runId, startOf(runId, entry, now()));
      print(`${entry.image}: rebuild, because ${entry.reasons.map(explainReason).join('; ')}`);
    },
    onStep(runId, step) {
      const image = runs.get(runId)?.image;
      if (image === undefined || step.state === 'running') return;
      print(`${image}: ${stepLine(step)}`);
    },
    onLog(runId: string, platform: Platform, line: string) {
      if (verbose) print(`${runs.get(runId)?.image ?? runId} ${platform} | ${line}`);
    },
    onEnd(end) {
      const seconds = formatSeconds(now() - (runs.get(end.runId)?.startedAt ?? now()));
      print(`${end.image}: ${end.outcome} after ${seconds}: ${end.summary}`);
    },
    onProposed: (end) => proposalLines(end).forEach(print),
    close() {},
  };
}

function startOf(runId: string, entry: PlanEntry, startedAt: number): BoardRun {
  return { runId, image: entry.image, why: entry.reasons.map(explainReason).join('; '), startedAt, steps: [] };
}

function shownEnd({ outcome, summary }: RunEnd): Pick<BoardRun, 'outcome' | 'summary'> {
  return { outcome, summary: summary.split('\n')[0] ?? '' };
}

function stepLine(step: StepRecord): string {
  const where = step.platform === undefined ? '' : `${step.platform} `;
  if (step.state === 'skipped') return `${where}${step.name}: already done`;
  const seconds = formatSeconds((step.endedAt ?? step.startedAt) - step.startedAt);
  return `${where}${step.name}: ${step.state === 'failed' ? `failed after ${seconds}: ${step.error}` : seconds}`;
}
