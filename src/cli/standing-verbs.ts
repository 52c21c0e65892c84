import type { Command } from 'commander';
import { pauseCommand, resumeCommand } from '../commands/pause.ts';
import { rollbackCommand } from '../commands/rollback.ts';
import { quarantineCommand, unquarantineCommand } from '../commands/standing.ts';
import type { Common, Terminal } from './terminal.ts';

type Person = Common & { readonly by?: string };
const BY = ['--by <name>', 'who; default: as CI or this machine says'] as const;
const REASON = ['--reason <text>', 'said wherever it matters'] as const;

/** What people decide about images against what the machine would do. */
export function addStandingVerbs(program: Command, terminal: Terminal): void {
  addRollback(program, terminal);
  addQuarantine(program, terminal);
  addPause(program, terminal);
}

function addRollback(program: Command, { output, signal, withApp }: Terminal): void {
  program
    .command('rollback')
    .argument('<image>')
    .description('take the channels back to an earlier release, and quarantine the one in use')
    .option('--to <version>', 'default: the newest before the one in use that is not quarantined')
    .requiredOption(...REASON)
    .option(...BY)
    .action(async (image: string, _options, command: Command) => {
      const { root, ...options } = command.optsWithGlobals<Person & { to?: string; reason: string }>();
      await withApp(root, (app) => rollbackCommand(app, output, { image, ...options, signal }));
    });
}

function addQuarantine(program: Command, { output, signal, withApp }: Terminal): void {
  program
    .command('quarantine')
    .argument('<image>')
    .argument('<version or digest>')
    .description('bar a release: it, its inputs and its content are not released again; no channel moves')
    .requiredOption(...REASON)
    .option(...BY)
    .action(async (image: string, what: string, _options, command: Command) => {
      const { root, ...options } = command.optsWithGlobals<Person & { reason: string }>();
      await withApp(root, (app) => quarantineCommand(app, output, { image, what, ...options, signal }));
    });
  program
    .command('unquarantine')
    .argument('<image>')
    .argument('<version or digest>')
    .description('let a release in again')
    .option(...REASON)
    .option(...BY)
    .action(async (image: string, what: string, _options, command: Command) => {
      const { root, ...options } = command.optsWithGlobals<Person & { reason?: string }>();
      await withApp(root, (app) => unquarantineCommand(app, output, { image, what, ...options, signal }));
    });
}

function addPause(program: Command, { output, signal, withApp }: Terminal): void {
  program
    .command('pause')
    .argument('[images...]')
    .description('rebuild nothing until it is resumed; what is in use stays in use')
    .option('-a, --all', 'the whole fleet', false)
    .requiredOption(...REASON)
    .option('--until <time>', 'it ends by itself: 4h, 2d, 2026-12-24 or 2026-12-24T18:00+01:00')
    .option(...BY)
    .action(async (images: string[], _options, command: Command) => {
      type Options = Person & { all: boolean; reason: string; until?: string };
      const { root, ...options } = command.optsWithGlobals<Options>();
      await withApp(root, (app) => pauseCommand(app, output, { images, ...options, signal }));
    });
  program
    .command('resume')
    .argument('[images...]')
    .description('end a pause')
    .option('-a, --all', 'that of the whole fleet', false)
    .option(...BY)
    .action(async (images: string[], _options, command: Command) => {
      const { root, ...options } = command.optsWithGlobals<Person & { all: boolean }>();
      await withApp(root, (app) => resumeCommand(app, output, { images, ...options, signal }));
    });
}
