import { type Command, Option } from 'commander';
import { explainCommand } from '../commands/explain.ts';
import { planCommand } from '../commands/plan.ts';
import { runCommand } from '../commands/run.ts';
import { statusCommand } from '../commands/status.ts';
import type { Common, Terminal } from './terminal.ts';

export function addCycleVerbs(program: Command, { output, signal, withApp }: Terminal): void {
  program
    .command('run')
    .description('one whole cycle: watch, plan, build, test, scan, sign, release, propose')
    .option('-v, --verbose', 'stream what the builds print', false)
    .option('--rebuild <image...>', 'build these anew, without cache, although nothing changed')
    .action(async (_options, command: Command) => {
      const { root, json, ...options } = command.optsWithGlobals<Common & { verbose: boolean; rebuild?: string[] }>();
      await withApp(root, (app) => runCommand(app, output, { json, ...options, signal }));
    });
  program
    .command('plan')
    .description('what would be done now and why, in order; nothing is touched')
    .option('-a, --all', 'also the images that need nothing', false)
    .option(
      '--image <name>',
      'only this image, what it is built from and what is built on it; may be repeated',
      more,
      [],
    )
    .option('--what-if <upstream[=digest]>', 'what would come of an upstream that moves; may be repeated', more, [])
    .addOption(new Option('--dot', "print the graph in Graphviz' language").default(false).conflicts('json'))
    .addOption(new Option('--svg [file]', 'draw the graph, coloured by state').conflicts(['json', 'dot']))
    .action(async (_options, command: Command) => {
      const { root, image, whatIf, ...options } = command.optsWithGlobals<Common & PlanFlags>();
      await withApp(root, (app) => planCommand(app, output, { ...options, images: image, whatIf, signal }));
    });
  program
    .command('explain')
    .argument('<image>')
    .description('why an image is rebuilt or not: inputs, packages, holds, last attempts')
    .action(async (image: string, _options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      await withApp(root, (app) => explainCommand(image, app, output, { json, signal }));
    });
  program
    .command('status')
    .description('what is in use of each image, and how its last run ended')
    .action(async (_options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      await withApp(root, (app) => statusCommand(app, output, { json, signal }));
    });
}

interface PlanFlags {
  readonly all: boolean;
  readonly image: readonly string[];
  readonly whatIf: readonly string[];
  readonly dot: boolean;
  readonly svg?: string | true;
}

/** Collects an option that may be given more than once. */
function more(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
