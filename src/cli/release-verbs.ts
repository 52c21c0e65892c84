import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { render } from '../commands/render.ts';
import { verifyCommand } from '../commands/verify.ts';
import { composeVerifier } from '../compose.ts';
import { readConfig } from '../config.ts';
import { FactoryError } from '../domain/errors.ts';
import { parseReference } from '../domain/reference.ts';
import { isLoopbackAddress } from '../lib/http.ts';
import type { Common, Terminal } from './terminal.ts';

export function addReleaseVerbs(program: Command, { output, signal, withApp, setExitCode }: Terminal): void {
  program
    .command('verify')
    .argument('<reference>', 'image by tag or digest')
    .description('check signatures in both formats, all platforms, and the attestations')
    .option('--key <file>', 'public key; default: the key that the fleet signs with')
    .option('--explain', 'print the commands with which others verify it', false)
    .action(async (reference: string, _options, command: Command) => {
      const { root, json, key, explain } = command.optsWithGlobals<Common & { key?: string; explain: boolean }>();
      const http = isLoopbackAddress(parseReference(reference).registry);
      const options = { http, explain, json, signal, print: output.line };
      if (key === undefined) {
        await withApp(root, ({ registry, attestor, publicKeyFile: keyFile }) =>
          verifyCommand(reference, { registry, attestor, keyFile, ...options }),
        );
      } else setExitCode(await verifyWithKey(reference, key, root, options));
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
): Promise<number> {
  const publicKey = await readFile(keyFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new FactoryError(`the public key ${keyFile} cannot be read (${cause.code})`, { code: 'usage', cause });
  });
  const { close, ...reader } = composeVerifier(await readConfig({ root }), publicKey);
  try {
    return await verifyCommand(reference, { ...reader, publicKey, keyFile, ...options });
  } finally {
    await close();
  }
}
