import type { CommandTest } from '../fleet/model.ts';
import { judgeText } from './pattern.ts';
import { mismatch, quote } from './words.ts';

/** What came of a command test. */
export interface CommandOutcome {
  readonly exitCode: number;
  /** Whether a command before the one under test failed; then the rest is of that one. */
  readonly setupFailed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is wrong with the outcome, each in a line; empty: passed. */
export function judgeCommand(test: CommandTest, outcome: CommandOutcome): readonly string[] {
  const { exitCode, setupFailed, stdout, stderr } = outcome;
  if (setupFailed)
    return [`setup failed: ${mismatch('exit code', '0', `${exitCode} with ${quote(stderr || stdout)}`)}`];
  const code = `${exitCode}${stderr === '' ? '' : ` with ${quote(stderr)}`}`;
  return [
    ...(exitCode === test.exitCode ? [] : [mismatch('exit code', String(test.exitCode), code)]),
    ...judgeText('output', stdout, { expected: test.expectedOutput, excluded: test.excludedOutput }),
    ...judgeText('error output', stderr, { expected: test.expectedError, excluded: test.excludedError }),
  ];
}
