import type { Command } from 'commander';
import { planCommand } from '../commands/plan.ts';
import { runCommand } from '../commands/run.ts';
import { statusCommand } from '../commands/status.ts';
import type { Common, Terminal } from './terminal.ts';

export function addCycleVerbs(program: Command, { output, signal, withApp }: Terminal): void {
  program
    .command('run')
    .description('one whole cycle: watch, plan, build, test, scan, sign, release, propose')
    .option('-v, --verbose', 'stream what the builds print', false)
    .action(async (_options, command: Command) => {
      const { root, json, verbose } = command.optsWithGlobals<Common & { verbose: boolean }>();
      await withApp(root, (app) => runCommand(app, output, { json, verbose, signal }));
    });
  program
    .command('plan')
    .description('what would be done now and why; nothing is touched')
    .action(async (_options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      await withApp(root, (app) => planCommand(app, output, { json, signal }));
    });
  program
    .command('status')
    .description('what is in use of each image, and how its last run ended')
    .action(async (_options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      await withApp(root, (app) => statusCommand(app, output, { json, signal }));
    });
}
