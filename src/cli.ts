#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { addAccessVerbs } from './cli/access-verbs.ts';
import { addChannelVerbs } from './cli/channel-verbs.ts';
import { addClientVerbs } from './cli/client-verbs.ts';
import { addCycleVerbs } from './cli/cycle-verbs.ts';
import { addDiffVerbs } from './cli/diff-verbs.ts';
import { addFreshnessVerbs } from './cli/freshness-verbs.ts';
import { addNotifyVerbs } from './cli/notify-verbs.ts';
import { addPinVerbs } from './cli/pin-verbs.ts';
import { addPullVerbs } from './cli/pull-verbs.ts';
import { addReleaseVerbs } from './cli/release-verbs.ts';
import { addRetentionVerbs } from './cli/retention-verbs.ts';
import { addServiceVerbs } from './cli/service-verbs.ts';
import { addSetupVerbs } from './cli/setup-verbs.ts';
import { addStandingVerbs } from './cli/standing-verbs.ts';
import type { Terminal } from './cli/terminal.ts';
import { exitCodeOfError, explainError } from './commands/errors.ts';
import { createOutput } from './commands/output.ts';
import { compose } from './compose.ts';
import { environmentRedaction, readConfig } from './config.ts';
import { VERSION } from './version.ts';

const LINGER_MS = 5_000;
const interrupted = new AbortController();
let exitCode = 0;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
}

const terminal: Terminal = {
  output: createOutput(process.stdout, process.stderr),
  signal: interrupted.signal,
  async withApp(root, verb) {
    const config = await readConfig({ root });
    const onTrouble = (message: string) => void process.stderr.write(`${config.redaction.redact(message)}\n`);
    const app = await compose(config, { signal: interrupted.signal, onTrouble });
    try {
      exitCode = await verb(app);
    } finally {
      await app.close();
    }
  },
  setExitCode(code) {
    exitCode = code;
  },
};

function createProgram(): Command {
  const program = new Command('ingot')
    .description('A golden base-image factory: watch, rebuild, test, scan, sign, promote, propose.')
    .version(VERSION)
    .option('-C, --root <folder>', 'folder of ingot.yaml', '.')
    .option('--json', 'print one JSON document', false)
    .exitOverride()
    .showSuggestionAfterError();
  addCycleVerbs(program, terminal);
  addReleaseVerbs(program, terminal);
  addDiffVerbs(program, terminal);
  addStandingVerbs(program, terminal);
  addChannelVerbs(program, terminal);
  addPinVerbs(program, terminal);
  addPullVerbs(
    program
      .command('pulls')
      .description('pull requests of the downstreams (local, gitea; experimental: github, gitlab, forgejo)'),
    terminal,
  );
  addRetentionVerbs(program, terminal);
  addServiceVerbs(program, terminal);
  addFreshnessVerbs(program, terminal);
  addNotifyVerbs(program, terminal);
  addAccessVerbs(program, terminal);
  addClientVerbs(program, terminal);
  addSetupVerbs(program, terminal);
  return program;
}

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`${environmentRedaction().redact(explainError(error))}\n`);
    exitCode = interrupted.signal.aborted ? 130 : exitCodeOfError(error);
  }
}
process.exitCode = exitCode;
// Everything is closed by now; should something still keep the process alive, it is not worth waiting for.
setTimeout(() => process.exit(exitCode), LINGER_MS).unref();
