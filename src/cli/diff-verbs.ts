import { type Command, Option } from 'commander';
import { type DiffApp, diffCommand } from '../commands/diff.ts';
import { composeDiffer } from '../compose/reader.ts';
import { readConfig } from '../config.ts';
import { hasFleet } from '../definitions/read.ts';
import type { Common, Terminal } from './terminal.ts';

type DiffFlags = Common & { readonly platform: readonly string[]; readonly markdown: boolean };

export function addDiffVerbs(program: Command, { output, signal, withApp, setExitCode }: Terminal): void {
  program
    .command('diff')
    .argument('<before>', 'python:3.11.4 or python of this fleet, or any reference')
    .argument('<after>')
    .description('packages, files, config, layers, vulnerabilities: what differs between two images')
    .option('--platform <platform...>', 'only these; default: all', [])
    .addOption(new Option('--markdown', 'for a pull request or an issue').default(false).conflicts('json'))
    .action(async (before: string, after: string, _options, command: Command) => {
      const { root, platform, ...options } = command.optsWithGlobals<DiffFlags>();
      const diff = (app: DiffApp) =>
        diffCommand(app, output, { ...options, before, after, platforms: platform, signal });
      if (await hasFleet(root)) await withApp(root, diff);
      else setExitCode(await withoutFleet(root, diff));
    });
}

/** For whoever has images to compare, and no fleet. */
async function withoutFleet(root: string, diff: (app: DiffApp) => Promise<number>): Promise<number> {
  const { close, ...app } = composeDiffer(await readConfig({ root }));
  try {
    return await diff(app);
  } finally {
    await close();
  }
}
