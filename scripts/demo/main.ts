import { parseArgs } from 'node:util';
import { explainError } from '../../src/commands/errors.ts';
import { playDemo } from './play.ts';

const { values: flags } = parseArgs({ options: { hold: { type: 'boolean', default: false } } });
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort(new Error(signal)));

try {
  process.exitCode = await playDemo({ hold: flags.hold, signal: stopping.signal });
} catch (error) {
  process.stderr.write(`${stopping.signal.aborted ? 'stopped' : `the demo failed: ${explainError(error)}`}\n`);
  process.exitCode = stopping.signal.aborted ? 130 : 1;
}
