import type { Command } from 'commander';
import { ulid } from 'ulid';
import { notifyTestCommand, notifyText } from '../commands/notify.ts';
import { createNotifier } from '../compose/notify.ts';
import { readConfig } from '../config.ts';
import { readFleet } from '../definitions/read.ts';
import { headOf } from '../definitions/source.ts';
import { createHttp } from '../lib/http.ts';
import { lookAtService } from '../processes/look.ts';
import { VERSION } from '../version.ts';
import type { Common, Terminal } from './terminal.ts';

/** Who is told what. */
export function addNotifyVerbs(program: Command, { output, signal, setExitCode }: Terminal): void {
  const notify = program.command('notify').description('channels that people are told through');
  notify
    .command('test')
    .argument('<channel>', 'a name below "notify.channels" in ingot.yaml')
    .description('send a message, and say what the other side answered')
    .action(async (channel: string, _options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      const config = await readConfig({ root });
      const { proxy, ca } = config;
      const http = createHttp({ connectionsPerHost: 1, userAgent: `ingot/${VERSION}`, timeoutMs: 15_000, proxy, ca });
      const notifierOf = (each: Parameters<typeof createNotifier>[0]) => createNotifier(each, config, http);
      const rest = { json, signal, newId: () => ulid(), now: () => new Date() };
      try {
        const [fleet, commit] = await Promise.all([readFleet(root), headOf(root)]);
        setExitCode(await notifyTestCommand(channel, output, { fleet, notifierOf, commit, ...rest }));
      } finally {
        await http.close();
      }
    });
  notify
    .command('list')
    .description('channels of a served factory: what was sent, waits, and was given up')
    .option('--fleet-name <name>', 'which fleet, in a Redis that has several')
    .action(async (_options, command: Command) => {
      const { root, json, fleetName: fleet } = command.optsWithGlobals<Common & { fleetName?: string }>();
      const onTrouble = (message: string) => void process.stderr.write(`${message}\n`);
      await lookAtService(await readConfig({ root }), { fleet, signal, onTrouble }, async (service) => {
        const channels = await service.notifications();
        if (json) output.json(channels);
        else output.line(notifyText(channels));
      });
    });
}
