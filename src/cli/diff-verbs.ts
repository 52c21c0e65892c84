import { type Command, Option } from 'commander';
import { diffCommand } from '../commands/diff.ts';
import type { Common, Terminal } from './terminal.ts';

type DiffFlags = Common & { readonly platform: readonly string[]; readonly markdown: boolean };

export function addDiffVerbs(program: Command, { output, signal, withApp }: Terminal): void {
  program
    .command('diff')
    .argument('<before>', 'python:3.11.4 or python of this fleet, or any reference')
    .argument('<after>')
    .description('packages, files, config, layers, vulnerabilities: what differs between two images')
    .option('--platform <platform...>', 'only these; default: all', [])
    .addOption(new Option('--markdown', 'for a pull request or an issue').default(false).conflicts('json'))
    .action(async (before: string, after: string, _options, command: Command) => {
      const { root, platform, ...options } = command.optsWithGlobals<DiffFlags>();
      await withApp(root, (app) =>
        diffCommand(app, output, { ...options, before, after, platforms: platform, signal }),
      );
    });
}
