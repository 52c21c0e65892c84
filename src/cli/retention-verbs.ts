import type { Command } from 'commander';
import { pruneCommand } from '../commands/prune.ts';
import { repairCommand } from '../commands/repair.ts';
import { replicateCommand } from '../commands/replicate.ts';
import { restoreCommand } from '../commands/restore.ts';
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
  program
    .command('restore')
    .argument('<replica>', 'where it still is, as under "replicas" in ingot.yaml')
    .argument('[images...]', 'default: all')
    .description('bring releases, channels and the log of decisions back into a registry that lost them')
    .action(async (replica: string, images: string[], _options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      await withApp(root, (app) => restoreCommand(replica, app, output, { images, json, signal }));
    });
  program
    .command('prune')
    .description(
      'what nothing needs in staging, mirror and among old releases, and why the rest stays; removes nothing',
    )
    .option('--yes', 'remove it', false)
    .option('--by <name>', 'who; default: as CI or this machine says')
    .action(async (_options, command: Command) => {
      const { root, ...options } = command.optsWithGlobals<Common & { yes: boolean; by?: string }>();
      await withApp(root, (app) => pruneCommand(app, output, { ...options, signal }));
    });
}
