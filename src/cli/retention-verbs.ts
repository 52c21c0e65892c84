import type { Command } from 'commander';
import { repairCommand } from '../commands/repair.ts';
import { replicateCommand } from '../commands/replicate.ts';
import type { Common, Terminal } from './terminal.ts';

/** What keeps registries whole and small. */
export function addRetentionVerbs(program: Command, { output, signal, withApp }: Terminal): void {
  program
    .command('repair')
    .argument('[images...]', 'default: all')
    .description('look for what the registry lacks of releases in use, and put it back')
    .option('--dry-run', 'look, and change nothing', false)
    .action(async (images: string[], _options, command: Command) => {
      const { root, json, dryRun } = command.optsWithGlobals<Common & { dryRun: boolean }>();
      await withApp(root, (app) => repairCommand(app, output, { images, dryRun, json, signal }));
    });
  program
    .command('replicate')
    .description('bring every replica to where our own registry is')
    .action(async (_options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      await withApp(root, (app) => replicateCommand(app, output, { json, signal }));
    });
}
