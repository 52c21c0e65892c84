import { hostname } from 'node:os';
import { pid, stderr, stdout } from 'node:process';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_METRICS_LISTEN } from '../api/operations.ts';
import { hooksText } from '../commands/hooks-table.ts';
import { stand } from '../commands/serve.ts';
import { budgetsText, queuesText, refusedLines, workersText } from '../commands/service-tables.ts';
import { type Config, MetricsListen, readConfig } from '../config.ts';
import { KNOWN_PLATFORMS, type Platform } from '../domain/platform.ts';
import { ROLES, type Role } from '../domain/service/workers.ts';
import { createLog, LOG_FORMATS, type Log, type LogFormat } from '../lib/log.ts';
import { lookAtService } from '../processes/look.ts';
import { serve } from '../processes/serve.ts';
import { work } from '../processes/work.ts';
import type { FactoryService } from '../service/service.ts';
import type { Common, Terminal } from './terminal.ts';

/** A factory that keeps running, on one machine or many. */
export function addServiceVerbs(program: Command, terminal: Terminal): void {
  addServe(program, terminal);
  addWorker(program, terminal);
  addQuestion(program, terminal, {
    name: 'workers',
    description: 'who takes work of a served factory, and what each has',
    ask: (service) => service.workers(),
    print: workersText,
  });
  addQuestion(program, terminal, {
    name: 'queues',
    description: 'what waits, runs, stalled and failed, per role and platform',
    ask: (service) => service.queues(),
    print: queuesText,
  });
  addQuestion(program, terminal, {
    name: 'budgets',
    description: 'what registries and forges allow, and what waits for them',
    ask: (service) => service.budgets(),
    print: budgetsText,
  });
  addQuestion(program, terminal, {
    name: 'hooks',
    description: 'webhooks that came in, by sender, and what became of them',
    ask: (service) => service.hooks(),
    print: hooksText,
  });
}

interface Question<T> {
  readonly name: string;
  readonly description: string;
  ask(service: FactoryService): Promise<T>;
  print(answer: T, now: number): string;
}

function addQuestion<T>(program: Command, { output, signal }: Terminal, question: Question<T>): void {
  program
    .command(question.name)
    .description(question.description)
    .option('--fleet-name <name>', 'which fleet, in a Redis that has several')
    .action(async (_options, command: Command) => {
      const { root, json, fleetName: fleet } = command.optsWithGlobals<Common & { fleetName?: string }>();
      await lookAtService(await readConfig({ root }), { fleet, signal, onTrouble }, async (service) => {
        const answer = await question.ask(service);
        if (json) return output.json(answer);
        for (const line of refusedLines(await service.fleet())) output.line(line);
        output.line(question.print(answer, Date.now()));
      });
    });
}

const onTrouble = (message: string) => void process.stderr.write(`${message}\n`);

function addServe(program: Command, { signal, setExitCode }: Terminal): void {
  program
    .command('serve')
    .description('keep running: watch, plan and build by schedules and on demand')
    .option('--fleet <source>', 'where the definitions are: a folder, or git+https://…#branch', '.')
    .option('--no-workers', 'plan only; others build ("ingot worker")')
    .option('--listen <host:port>', 'of the API, in place of "access.listen" in ingot.yaml')
    .addOption(concurrency())
    .addOption(grace())
    .addOption(metricsListen())
    .addOption(logFormat())
    .action(async (_options, command: Command) => {
      const { root, ...options } = command.optsWithGlobals<Common & ServeFlags>();
      const config = await readConfig({ root });
      const log = logOf('serve', config, options);
      const serving = await serve(config, { ...options, signal, log, onTrouble: log.warn });
      log.info(`serving ${serving.fleet.settings.fleet} with ${serving.fleet.images.length} images`);
      process.on('SIGHUP', () => void serving.reload().catch((error: Error) => log.warn(error.message)));
      setExitCode(await stand(serving, log, { graceMs: options.grace * 1000, signal }));
    });
}

interface ServeFlags extends OperationFlags {
  readonly fleet: string;
  readonly workers: boolean;
  readonly listen?: string;
  readonly concurrency: number;
  readonly grace: number;
}

function addWorker(program: Command, { signal, setExitCode }: Terminal): void {
  program
    .command('worker')
    .description('take work of a factory that is served elsewhere: needs Redis (REDIS_URL) and the registry alone')
    .option('--roles <list>', `of ${ROLES.join(', ')}`, listOf(ROLES), [...ROLES])
    .option('--platforms <list>', 'default: all that this machine can build', listOf(KNOWN_PLATFORMS), [])
    .option('--fleet-name <name>', 'which fleet, in a Redis that has several')
    .addOption(concurrency())
    .addOption(grace())
    .addOption(metricsListen())
    .addOption(logFormat())
    .action(async (_options, command: Command) => {
      const { root, fleetName: fleet, ...options } = command.optsWithGlobals<Common & WorkerFlags>();
      const config = await readConfig({ root });
      const log = logOf('worker', config, options);
      const working = await work(config, { ...options, fleet, signal, log, onTrouble: log.warn });
      log.info(`worker ${working.id} of ${working.fleet}: ${options.roles.join(', ')}`);
      setExitCode(await stand(working, log, { graceMs: options.grace * 1000, signal }));
    });
}

interface OperationFlags {
  readonly metricsListen?: string;
  readonly logFormat?: LogFormat;
}

/** Lines of one process, without what is secret in them. */
function logOf(process: 'serve' | 'worker', { logFormat, redaction }: Config, flags: OperationFlags): Log {
  return createLog({
    ...{ format: flags.logFormat ?? logFormat, redaction, now: () => new Date() },
    about: { process, host: hostname(), pid },
    stdout: (text) => void stdout.write(text),
    stderr: (text) => void stderr.write(text),
  });
}

interface WorkerFlags extends OperationFlags {
  readonly roles: readonly Role[];
  readonly platforms: readonly Platform[];
  readonly fleetName?: string;
  readonly concurrency: number;
  readonly grace: number;
}

function concurrency(): Option {
  return new Option('--concurrency <n>', 'builds of a platform, and releases, side by side')
    .default(1)
    .argParser(positive);
}

function grace(): Option {
  return new Option('--grace <seconds>', 'how long what runs may go on when told to stop')
    .default(25)
    .argParser(positive);
}

function metricsListen(): Option {
  return new Option(
    '--metrics-listen <host:port>',
    `of /metrics, /healthz and /readyz, or "off" (default: ${DEFAULT_METRICS_LISTEN}, or another port there when it is taken)`,
  ).argParser((text) => {
    const { success } = MetricsListen.safeParse(text);
    if (!success) throw new InvalidArgumentError('It must be address:port, as in 0.0.0.0:9464, or "off".');
    return text;
  });
}

function logFormat(): Option {
  return new Option('--log-format <format>', 'of what it says (default: INGOT_LOG_FORMAT, else text)').choices(
    LOG_FORMATS,
  );
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}

function listOf<T extends string>(known: readonly T[]) {
  return (text: string): T[] => {
    const words = text.split(',').map((word) => word.trim());
    const strange = words.filter((word) => !known.includes(word as T));
    if (strange.length > 0) throw new InvalidArgumentError(`${strange.join(', ')}: it must be of ${known.join(', ')}.`);
    return words as T[];
  };
}
