import { type Command, InvalidArgumentError } from 'commander';
import { freshnessCommand } from '../commands/freshness.ts';
import { Duration } from '../domain/fleet/values.ts';
import type { Common, Terminal } from './terminal.ts';

/** How long changes outside take to get in. */
export function addFreshnessVerbs(program: Command, { output, withApp }: Terminal): void {
  program
    .command('freshness')
    .description('from a change outside to detected, built, released, merged; which goals are not kept')
    .option('--image <name>', 'this one alone')
    .option('--since <time>', 'changes of the last 30d, or since 2026-11-01 (default: "90d")', sinceOf)
    .action(async (_options, command: Command) => {
      const { root, json, image, since } = command.optsWithGlobals<Common & { image?: string; since?: string }>();
      await withApp(root, (app) => freshnessCommand(app, output, { json, image, since, now: new Date() }));
    });
}

/** @returns RFC 3339 */
function sinceOf(text: string): string {
  const back = Duration.safeParse(text);
  if (back.success) return new Date(Date.now() - back.data * 1000).toISOString();
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError('Write it as in 30d, 12h, 2026-11-01 or 2026-11-01T08:00Z.');
  return new Date(time).toISOString();
}
