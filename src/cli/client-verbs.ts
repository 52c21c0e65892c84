import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ClientDeps, rebuildCommand } from '../commands/rebuild.ts';
import {
  cancelRunCommand,
  type ListRunsOptions,
  listRunsCommand,
  logsCommand,
  retryRunCommand,
  showRunCommand,
} from '../commands/runs.ts';
import { composeClient, type ServerOptions } from '../compose/client.ts';
import { readConfig } from '../config.ts';
import { Duration } from '../domain/fleet/values.ts';
import { KNOWN_PLATFORMS } from '../domain/platform.ts';
import { OUTCOMES } from '../domain/run.ts';
import { PRIORITIES } from '../domain/service/views.ts';
import type { Common, Terminal } from './terminal.ts';

type Flags<T = object> = Common & ServerOptions & T;

/** What is asked of a factory that is served, from wherever. */
export function addClientVerbs(program: Command, terminal: Terminal): void {
  addRebuild(program, terminal);
  const runs = program.command('runs').description('runs of a served factory');
  addRunQuestions(runs, terminal);
  addRunDecisions(runs, terminal);
}

interface RebuildFlags {
  readonly upstream: readonly string[];
  readonly reason?: string;
  readonly priority?: string;
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly timeout: number;
}

function addRebuild(program: Command, terminal: Terminal): void {
  withServer(program.command('rebuild'))
    .argument('[images...]')
    .description('ask a served factory to rebuild images; --wait prints the digest')
    .option('--upstream <reference...>', 'every image that uses it', [])
    .option('--reason <text>', 'said wherever it matters')
    .addOption(new Option('--priority <priority>', 'default: requested').choices(PRIORITIES))
    .option('--dry-run', 'only say what would be done', false)
    .option('--wait', 'until it has ended: exit 0 released or unchanged, 1 failed, 3 blocked, 130 cancelled', false)
    .addOption(timeout())
    .action(async (images: string[], _options, command: Command) => {
      const flags = command.optsWithGlobals<Flags<RebuildFlags>>();
      const { upstream: upstreams, reason, priority, dryRun } = flags;
      const times = { wait: flags.wait, timeoutMs: flags.timeout * 1000 };
      const request = { images, upstreams, reason, priority, dryRun, ...times, idempotencyKey: randomUUID() };
      await withClient(flags, terminal, (deps) => rebuildCommand(request, terminal.output, deps));
    });
}

function addRunQuestions(runs: Command, terminal: Terminal): void {
  const { output } = terminal;
  withServer(runs.command('list'))
    .description('newest first')
    .option('--image <name>')
    .addOption(new Option('--state <state>').choices(['waiting', 'queued', 'running', 'ended']))
    .addOption(new Option('--outcome <outcome>').choices(OUTCOMES))
    .addOption(new Option('--limit <n>', 'how many').default(20).argParser(positive))
    .action(async (_options, command: Command) => {
      const { image, state, outcome, limit, ...flags } = command.optsWithGlobals<Flags<ListRunsOptions>>();
      await withClient(flags, terminal, (deps) => listRunsCommand({ image, state, outcome, limit }, output, deps));
    });
  withServer(runs.command('show'))
    .argument('<run>')
    .description('a run with its reasons and steps')
    .action(async (id: string, _options, command: Command) => {
      await withClient(command.optsWithGlobals(), terminal, (deps) => showRunCommand(id, output, deps));
    });
  withServer(runs.command('logs'))
    .argument('<run>')
    .description('the last lines that its builds printed')
    .addOption(new Option('--platform <platform>').choices(KNOWN_PLATFORMS))
    .action(async (id: string, _options, command: Command) => {
      const flags = command.optsWithGlobals<Flags<{ platform?: string }>>();
      await withClient(flags, terminal, (deps) => logsCommand(id, flags.platform, output, deps));
    });
}

function addRunDecisions(runs: Command, terminal: Terminal): void {
  const { output } = terminal;
  withServer(runs.command('cancel'))
    .argument('<run>')
    .description('end a run wherever it is')
    .option('--reason <text>', 'said wherever it matters')
    .action(async (id: string, _options, command: Command) => {
      const flags = command.optsWithGlobals<Flags<{ reason?: string }>>();
      await withClient(flags, terminal, (deps) => cancelRunCommand(id, flags.reason, output, deps));
    });
  withServer(runs.command('retry'))
    .argument('<run>')
    .description('a new run of the same image')
    .option('--reason <text>', 'said wherever it matters')
    .option('--wait', 'until it has ended; prints the digest', false)
    .addOption(timeout())
    .action(async (id: string, _options, command: Command) => {
      const flags = command.optsWithGlobals<Flags<{ reason?: string; wait: boolean; timeout: number }>>();
      const request = { reason: flags.reason, wait: flags.wait, timeoutMs: flags.timeout * 1000 };
      await withClient(flags, terminal, (deps) => retryRunCommand(id, request, output, deps));
    });
}

function withServer(command: Command): Command {
  return command
    .option('--server <url>', 'default: INGOT_SERVER, else the service on this machine')
    .option('--token-file <file>', 'default: the token in INGOT_TOKEN, else the file in INGOT_TOKEN_FILE');
}

async function withClient(flags: Flags, terminal: Terminal, verb: (deps: ClientDeps) => Promise<number>) {
  const { root, json, server, tokenFile } = flags;
  const { client, close } = await composeClient(await readConfig({ root }), { server, tokenFile });
  const sleep = (ms: number, signal: AbortSignal) => wait(ms, undefined, { signal });
  try {
    terminal.setExitCode(await verb({ client, json, signal: terminal.signal, now: Date.now, sleep }));
  } finally {
    await close();
  }
}

function timeout(): Option {
  return new Option('--timeout <time>', 'how long to wait, as in 90m').default(7200, '2h').argParser((text) => {
    const parsed = Duration.safeParse(text);
    if (!parsed.success) throw new InvalidArgumentError('Write it as in 90m.');
    return parsed.data;
  });
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}
