import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { readPinRepository } from '../commands/pin-repository.ts';
import { bumpCommand, type PinsApp, pinsCommand } from '../commands/pins.ts';
import { findDownstreams, proposeCommand } from '../commands/propose.ts';
import type { App } from '../compose.ts';
import { hasFleet } from '../definitions/read.ts';
import { repositoryOf } from '../domain/reference.ts';
import { findFolderReleases } from '../flows/proposals.ts';
import type { Common, Terminal } from './terminal.ts';

/** Pins of working copies and downstreams, and what is proposed for them. */
export function addPinVerbs(program: Command, { output, signal, withApp, setExitCode }: Terminal): void {
  program
    .command('pins')
    .argument('[where]', 'a folder with a working copy, or the name of a downstream', '.')
    .description('places that name an image of the fleet: file and line, version, how far behind')
    .option('--registry <prefix>', 'images below this name; default: those of the fleet, all without one')
    .action(async (folder: string, _options, command: Command) => {
      const { root, ...options } = command.optsWithGlobals<Common & { registry?: string }>();
      if (await hasFleet(root)) {
        await withApp(root, async (app) => {
          const where = existsSync(folder) ? folder : await readDownstream(folder, app, signal);
          return pinsCommand(pinsApp(app, signal), output, { ...options, folder: where });
        });
      } else setExitCode(await pinsCommand({ settings: [], releases: async () => [] }, output, { folder, ...options }));
    });
  program
    .command('bump')
    .argument('<folder>', 'a working copy')
    .description('move its pins to the releases in use, and print the diff')
    .option('--dry-run', 'print, and change nothing', false)
    .action(async (folder: string, _options, command: Command) => {
      const { root, json, dryRun } = command.optsWithGlobals<Common & { dryRun: boolean }>();
      await withApp(root, (app) => bumpCommand(pinsApp(app, signal), output, { folder, dryRun, json }));
    });
  program
    .command('propose')
    .argument('[image...]', 'default: all')
    .description('bring pull requests to where the releases in use are, without a cycle')
    .option('--repo <name...>', 'only these downstreams, by name or the end of it')
    .option('--dry-run', 'write nothing; print the diff and the text of each pull request', false)
    .action(async (images: string[], _options, command: Command) => {
      const {
        root,
        json,
        dryRun,
        repo = [],
      } = command.optsWithGlobals<Common & { dryRun: boolean; repo?: string[] }>();
      await withApp(root, (app) => proposeCommand(app, output, { images, repositories: repo, dryRun, json, signal }));
    });
}

async function readDownstream(name: string, app: App, signal: AbortSignal) {
  const [repository] = findDownstreams(name, await app.downstreams.list(signal));
  return readPinRepository(repository!, [app.fleet.settings.pins], signal);
}

function pinsApp(app: App, signal: AbortSignal): PinsApp {
  const { registry, repository } = app.places.release('image');
  return {
    settings: [app.fleet.settings.pins],
    prefix: repositoryOf({ registry, repository }).replace(/\/image$/, ''),
    releases: (isWanted) => findFolderReleases({ ...app, now: () => new Date() }, isWanted, signal),
  };
}
