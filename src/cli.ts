#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { Command, CommanderError } from 'commander';
import { runDoctor } from './commands/doctor.ts';
import { exitCodeOfError, explainError } from './commands/errors.ts';
import { init } from './commands/init.ts';
import { keysCreate } from './commands/keys.ts';
import { createOutput, type Output } from './commands/output.ts';
import { planCommand } from './commands/plan.ts';
import { pullsList, pullsMerge, pullsShow } from './commands/pulls.ts';
import { render } from './commands/render.ts';
import { runCommand } from './commands/run.ts';
import { statusCommand } from './commands/status.ts';
import { verifyCommand } from './commands/verify.ts';
import { type App, compose, composeVerifier } from './compose.ts';
import { readConfig } from './config.ts';
import { FactoryError } from './domain/errors.ts';
import { parseReference } from './domain/reference.ts';
import { isLoopbackAddress } from './lib/http.ts';
import { VERSION } from './version.ts';

type Common = { readonly root: string; readonly json: boolean };

const LINGER_MS = 5_000;
const output: Output = createOutput(process.stdout, process.stderr);
const interrupted = new AbortController();
let exitCode = 0;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
}

/** Runs one verb with the factory put together, and takes it apart again whatever happens. */
async function withApp(root: string, verb: (app: App) => Promise<number>): Promise<void> {
  const onTrouble = (message: string) => void process.stderr.write(`${message}\n`);
  const app = await compose(await readConfig({ root }), { signal: interrupted.signal, onTrouble });
  try {
    exitCode = await verb(app);
  } finally {
    await app.close();
  }
}

function createProgram(): Command {
  const program = new Command('ingot')
    .description('A golden base-image factory: watch, rebuild, test, scan, sign, promote, propose.')
    .version(VERSION)
    .option('-C, --root <folder>', 'folder of ingot.yaml', '.')
    .option('--json', 'print one JSON document', false)
    .exitOverride()
    .showSuggestionAfterError();
  addCycleVerbs(program);
  addReleaseVerbs(program);
  addPullVerbs(program.command('pulls').description('pull requests of the local forge'));
  addSetupVerbs(program);
  return program;
}

function addCycleVerbs(program: Command): void {
  program
    .command('run')
    .description('one whole cycle: watch, plan, build, test, scan, sign, release, propose')
    .option('-v, --verbose', 'stream what the builds print', false)
    .action(async (_options, command: Command) => {
      const { root, json, verbose } = command.optsWithGlobals<Common & { verbose: boolean }>();
      await withApp(root, (app) => runCommand(app, output, { json, verbose, signal: interrupted.signal }));
    });
  program
    .command('plan')
    .description('what would be done now and why; nothing is touched')
    .action(async (_options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      await withApp(root, (app) => planCommand(app, output, { json, signal: interrupted.signal }));
    });
  program
    .command('status')
    .description('what is in use of each image, and how its last run ended')
    .action(async (_options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      await withApp(root, (app) => statusCommand(app, output, { json, signal: interrupted.signal }));
    });
}

function addReleaseVerbs(program: Command): void {
  program
    .command('verify')
    .argument('<reference>', 'image by tag or digest')
    .description('check signatures in both formats, all platforms, and the attestations')
    .option('--key <file>', 'public key; default: the key that the fleet signs with')
    .option('--explain', 'print the commands with which others verify it', false)
    .action(async (reference: string, _options, command: Command) => {
      const { root, json, key, explain } = command.optsWithGlobals<Common & { key?: string; explain: boolean }>();
      const http = isLoopbackAddress(parseReference(reference).registry);
      const options = { http, explain, json, signal: interrupted.signal, print: output.line };
      if (key === undefined) {
        await withApp(root, ({ registry, attestor, publicKeyFile: keyFile }) =>
          verifyCommand(reference, { registry, attestor, keyFile, ...options }),
        );
      } else await verifyWithKey(reference, key, root, options);
    });
  program
    .command('render')
    .argument('<image>')
    .description('print the Dockerfile of an image, its base by digest')
    .action(async (name: string, _options, command: Command) => {
      const { root, json } = command.optsWithGlobals<Common>();
      const note = (line: string) => void process.stderr.write(`${line}\n`);
      await withApp(root, (app) =>
        render(name, { fleet: app.fleet, json, print: output.line, note, resolve: app.resolveInput }),
      );
    });
}

/** As a consumer: the public key is enough, no fleet and no service is needed. */
async function verifyWithKey(
  reference: string,
  keyFile: string,
  root: string,
  options: Omit<Parameters<typeof verifyCommand>[1], 'registry' | 'attestor'>,
): Promise<void> {
  const publicKey = await readFile(keyFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new FactoryError(`the public key ${keyFile} cannot be read (${cause.code})`, { code: 'usage', cause });
  });
  const { close, ...reader } = composeVerifier(await readConfig({ root }), publicKey);
  try {
    exitCode = await verifyCommand(reference, { ...reader, publicKey, keyFile, ...options });
  } finally {
    await close();
  }
}

function addPullVerbs(pulls: Command): void {
  const run = async (command: Command, verb: (context: Parameters<typeof pullsList>[0]) => Promise<number>) => {
    const { root, json } = command.optsWithGlobals<Common>();
    await withApp(root, (app) =>
      verb({ repositories: app.downstreams, json, print: output.line, signal: interrupted.signal }),
    );
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

function addSetupVerbs(program: Command): void {
  program
    .command('init')
    .argument('[folder]', 'where to write', '.')
    .description('write a commented ingot.yaml and a first image')
    .action(async (directory: string) => {
      exitCode = await init({ directory, print: output.line });
    });
  program
    .command('keys')
    .description('signing keys')
    .command('create')
    .description('make a key pair to sign releases with')
    .option('--out <path>', 'path without ending', 'ingot')
    .option('--force', 'replace an existing pair', false)
    .action(async ({ out, force }: { out: string; force: boolean }, command: Command) => {
      const { json } = command.optsWithGlobals<Common>();
      const lines: string[] = [];
      exitCode = await keysCreate({ out, force, print: json ? (line) => lines.push(line) : output.line });
      if (json) output.json({ privateKey: `${out}.key`, publicKey: `${out}.pub` });
    });
  program
    .command('doctor')
    .description('what ingot needs on this machine: found, where, version, what for, how to get it')
    .action(async (_options, command: Command) => {
      const { json } = command.optsWithGlobals<Common>();
      exitCode = await runDoctor({ json, print: output.line });
    });
}

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`${explainError(error)}\n`);
    exitCode = interrupted.signal.aborted ? 130 : exitCodeOfError(error);
  }
}
process.exitCode = exitCode;
// Everything is closed by now; should something still keep the process alive, it is not worth waiting for.
setTimeout(() => process.exit(exitCode), LINGER_MS).unref();
