import { BuilderError, type CommandResult } from './builder.ts';
import { failedRun } from './buildkit-errors.ts';
import type { Progress, Step } from './progress.ts';

const MAX_OUTPUT = 1024 * 1024;

/**
 * The result of the last command, or of the first that failed before it; `undefined` when the build failed for another
 * reason.
 * @throws BuilderError `build-failed` when BuildKit left out a part of the output
 */
export function commandResult(
  progress: Progress,
  { succeeded, commands }: { succeeded: boolean; commands: number },
): CommandResult | undefined {
  const runs = progress.steps
    .filter(({ name }) => /^\[[^\]]*\] RUN /.test(name))
    .sort((a, b) => position(a) - position(b));
  const own = runs.slice(-commands); // what the image's own ONBUILD runs comes before
  const last = own.at(-1);
  if (succeeded) return last && toResult(last, { exitCode: 0, setupFailed: false });
  const failed = failedRun(progress);
  if (failed === undefined || !own.includes(failed.step)) return undefined;
  const exitCode = notStarted(failed.step) ?? failed.exitCode;
  return toResult(failed.step, { exitCode, setupFailed: failed.step !== last });
}

/** `[stage-0 2/3] RUN …` is the second. */
function position({ name }: Step): number {
  return Number(/(\d+)\/\d+\]/.exec(name)?.[1] ?? 0);
}

/** The runtime exits with 1 when it cannot start a program; shells say 127 (not found) and 126 (not allowed) for that. */
function notStarted({ stderr }: Step): number | undefined {
  const said = /^(?:runc|crun) run failed: unable to start container process: (.*)/m.exec(stderr.toString('utf8'))?.[1];
  if (said === undefined) return undefined;
  return /permission denied|exec format error/.test(said) ? 126 : 127;
}

/** BuildKit leaves out what comes faster than its limit (BUILDKIT_STEP_LOG_MAX_SIZE and _MAX_SPEED of the daemon). */
const CLIPPED = '[output clipped, log limit ';

function toResult({ stdout, stderr }: Step, outcome: Pick<CommandResult, 'exitCode' | 'setupFailed'>): CommandResult {
  if ([stdout, stderr].some((output) => output.includes(CLIPPED)))
    throw new BuilderError('the command wrote more than the builder keeps; make it write less', {
      code: 'build-failed',
    });
  const text = (output: Buffer) => output.subarray(0, MAX_OUTPUT).toString('utf8');
  return { ...outcome, stdout: text(stdout), stderr: text(stderr) };
}
