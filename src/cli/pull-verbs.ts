import type { Command } from 'commander';
import { pullsList, pullsMerge, pullsShow } from '../commands/pulls.ts';
import type { Common, Terminal } from './terminal.ts';

export function addPullVerbs(pulls: Command, { output, signal, withApp }: Terminal): void {
  const run = async (command: Command, verb: (context: Parameters<typeof pullsList>[0]) => Promise<number>) => {
    const { root, json } = command.optsWithGlobals<Common>();
    await withApp(root, async (app) => {
      const repositories = await app.downstreams.list(signal);
      return verb({ repositories, json, print: output.line, signal });
    });
  };
  pulls
    .command('list', { isDefault: true })
    .description('all pull requests, open ones first')
    .action((_options, command: Command) => run(command, pullsList));
  pulls
    .command('show')
    .argument('<number>', 'N, or repository#N')
    .action((which: string, _options, command: Command) => run(command, (context) => pullsShow(which, context)));
  pulls
    .command('merge')
    .argument('<number>', 'N, or repository#N')
    .action((which: string, _options, command: Command) => run(command, (context) => pullsMerge(which, context)));
}
