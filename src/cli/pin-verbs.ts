import type { Command } from 'commander';
import { bumpCommand, type PinsApp, pinsCommand } from '../commands/pins.ts';
import type { App } from '../compose.ts';
import { hasFleet } from '../definitions/read.ts';
import { repositoryOf } from '../domain/reference.ts';
import { findFolderReleases } from '../flows/proposals.ts';
import type { Common, Terminal } from './terminal.ts';

/** Pins of a folder on disk. */
export function addPinVerbs(program: Command, { output, signal, withApp, setExitCode }: Terminal): void {
  program
    .command('pins')
    .argument('[folder]', 'a working copy', '.')
    .description('places that name an image of the fleet: file and line, version, how far behind')
    .option('--registry <prefix>', 'images below this name; default: those of the fleet, all without one')
    .action(async (folder: string, _options, command: Command) => {
      const { root, ...options } = command.optsWithGlobals<Common & { registry?: string }>();
      if (await hasFleet(root)) {
        await withApp(root, (app) => pinsCommand(pinsApp(app, signal), output, { folder, ...options }));
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
}

function pinsApp(app: App, signal: AbortSignal): PinsApp {
  const { registry, repository } = app.places.release('image');
  return {
    settings: [app.fleet.settings.pins],
    prefix: repositoryOf({ registry, repository }).replace(/\/image$/, ''),
    releases: (isWanted) => findFolderReleases({ ...app, now: () => new Date() }, isWanted, signal),
  };
}
