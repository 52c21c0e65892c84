import type { Command } from 'commander';
import { runDoctor } from '../commands/doctor.ts';
import { init } from '../commands/init.ts';
import { keysCreate } from '../commands/keys.ts';
import type { Common, Terminal } from './terminal.ts';

export function addSetupVerbs(program: Command, { output, setExitCode }: Terminal): void {
  program
    .command('init')
    .argument('[folder]', 'where to write', '.')
    .description('write a commented ingot.yaml and a first image')
    .action(async (directory: string) => {
      setExitCode(await init({ directory, print: output.line }));
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
      setExitCode(await keysCreate({ out, force, print: json ? (line) => lines.push(line) : output.line }));
      if (json) output.json({ privateKey: `${out}.key`, publicKey: `${out}.pub` });
    });
  program
    .command('doctor')
    .description('what ingot needs on this machine: found, where, version, what for, how to get it')
    .action(async (_options, command: Command) => {
      const { json } = command.optsWithGlobals<Common>();
      setExitCode(await runDoctor({ json, print: output.line }));
    });
}
