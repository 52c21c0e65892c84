import type { Command } from 'commander';
import { pullsList, pullsMerge, pullsShow } from '../commands/pulls.ts';
import { pullsWaiting } from '../commands/pulls-waiting.ts';
import { requireImages } from '../commands/require-images.ts';
import { createProposer } from '../flows/proposals.ts';
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
    .command('waiting')
    .description('what is to come, what it waits for, and until when; asks every downstream, and writes nothing')
    .argument('[images...]', 'these alone')
    .action(async (names: string[], _options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      await withApp(root, async (app) => {
        requireImages(names, app.fleet.images);
        const all = app.fleet.images.map(({ name }) => name);
        const look = createProposer({ ...app, now: () => new Date() }, { isDry: true });
        const images = names.length === 0 ? all : names;
        return pullsWaiting({ images, look, json, print: output.line, signal });
      });
    });
  pulls
    .command('show')
    .argument('<number>', 'N, or repository#N')
    .action((which: string, _options, command: Command) => run(command, (context) => pullsShow(which, context)));
  pulls
    .command('merge')
    .argument('<number>', 'N, or repository#N')
    .action((which: string, _options, command: Command) => run(command, (context) => pullsMerge(which, context)));
}
