import { stripVTControlCharacters, styleText } from 'node:util';
import type { StepRecord } from '../../domain/run.ts';
import { type BoardRun, formatSeconds, rowsOf } from './board.ts';

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export interface Frame {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Columns of the terminal. */
  readonly width: number;
}

/** The live view as text: images, below each its platforms, and their steps with times. */
export function renderBoard(runs: readonly BoardRun[], frame: Frame): string {
  return runs.map((run) => renderRun(run, frame)).join('\n');
}

function renderRun(run: BoardRun, frame: Frame): string {
  const time = formatSeconds((run.endedAt ?? frame.now) - run.startedAt);
  const head = `${outcomeMark(run, frame)} ${styleText('bold', run.image)}  ${run.summary ?? run.why}  ${styleText('dim', time)}`;
  const rows = rowsOf(run).map(({ label, steps }) => {
    const cells = steps.map((step) => renderStep(step, frame)).join('  ');
    return `    ${styleText('dim', label.padEnd(12))} ${cells}`;
  });
  return [head, ...rows].map((line) => cut(line, frame.width)).join('\n');
}

function outcomeMark(run: BoardRun, frame: Frame): string {
  if (run.outcome === undefined) return styleText('cyan', spinner(frame.now));
  if (run.outcome === 'released' || run.outcome === 'unchanged') return styleText('green', '✔');
  return styleText(run.outcome === 'blocked' ? 'yellow' : 'red', run.outcome === 'blocked' ? '■' : '✘');
}

function renderStep(step: StepRecord, frame: Frame): string {
  const milliseconds = (step.endedAt ?? frame.now) - step.startedAt;
  const time = formatSeconds(milliseconds);
  if (step.state === 'skipped') return styleText('dim', `${step.name} ✓`);
  if (step.state === 'running') return `${styleText('cyan', spinner(frame.now))} ${step.name} ${time}`;
  const mark = step.state === 'done' ? styleText('green', '✓') : styleText('red', '✘');
  // What took no time worth a thought leaves room for the rest.
  return milliseconds < 100 ? `${step.name} ${mark}` : `${step.name} ${mark} ${styleText('dim', time)}`;
}

function spinner(now: number): string {
  return SPINNER[Math.floor(now / 100) % SPINNER.length]!;
}

/** Cuts by what is seen; a line that is too long loses its colours, not its end mark. */
function cut(line: string, width: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= width ? line : `${plain.slice(0, width - 1)}…`;
}
