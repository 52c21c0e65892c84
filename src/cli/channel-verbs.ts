import type { Command } from 'commander';
import { adoptCommand } from '../commands/adopt.ts';
import { approveCommand, channelsCommand, gatesCommand, promoteCommand } from '../commands/channels.ts';
import type { Common, Terminal } from './terminal.ts';

interface ByHandOptions {
  readonly reason: string;
  readonly by?: string;
}

export function addChannelVerbs(program: Command, { output, signal, withApp }: Terminal): void {
  program
    .command('channels')
    .argument('[images...]')
    .description('where each channel is, and what newer releases wait for')
    .action(async (images: string[], _options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      await withApp(root, (app) => channelsCommand(app, output, { images, json, signal }));
    });
  program
    .command('promote')
    .argument('<image[:version]>', 'default version: the release in use')
    .description('move a channel by hand; without a channel, let an image through a freeze')
    .option('--channel <name>')
    .requiredOption('--reason <text>')
    .option('--by <name>', 'who; default: the user of this machine')
    .option('--emergency', 'also against a freeze, a gate or a missing approval; leaves a trace', false)
    .action(async (image: string, _options, command: Command) => {
      type Options = Common & ByHandOptions & { channel?: string; emergency: boolean };
      const { root, ...options } = command.optsWithGlobals<Options>();
      await withApp(root, (app) => promoteCommand(app, output, { ...options, image, signal }));
    });
  program
    .command('approve')
    .argument('<image>')
    .argument('<version>')
    .description('let a release into a channel that asks for an approval')
    .requiredOption('--channel <name>')
    .requiredOption('--reason <text>')
    .option('--by <name>', 'who; default: the user of this machine')
    .action(async (image: string, version: string, _options, command: Command) => {
      const { root, ...options } = command.optsWithGlobals<Common & ByHandOptions & { channel: string }>();
      await withApp(root, (app) => approveCommand(app, output, { ...options, image, version, signal }));
    });
  program
    .command('gates')
    .argument('<image[:version]>', 'default version: the release in use')
    .description('ask the gates after a release again; the last word of each counts')
    .action(async (image: string, _options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      await withApp(root, (app) => gatesCommand(app, output, { image, json, signal }));
    });
  program
    .command('adopt')
    .argument('[images...]', 'default: all')
    .description('take over repositories that others filled: show what a release would change, and move nothing')
    .option('--yes', 'record that ingot may move their tags from now on', false)
    .option('--by <name>', 'who; default: the user of this machine')
    .action(async (images: string[], _options, command: Command) => {
      const { root, ...options } = command.optsWithGlobals<Common & { yes: boolean; by?: string }>();
      await withApp(root, (app) => adoptCommand(app, output, { ...options, images, signal }));
    });
}
