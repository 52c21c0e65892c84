import { type Command, Option } from 'commander';
import { createTokenCommand, listTokensCommand, revokeTokenCommand } from '../commands/tokens.ts';
import { composeTokens } from '../compose/access.ts';
import { readConfig } from '../config.ts';
import { ACCESS_ROLES, type AccessRole } from '../domain/access/principal.ts';
import type { Common, Terminal } from './terminal.ts';

/** Who may ask a served factory for what. */
export function addAccessVerbs(program: Command, { output, setExitCode }: Terminal): void {
  const token = program.command('token').description('tokens for the API of a served factory');
  token
    .command('create')
    .argument('<name>', 'who or what will use it')
    .description('make a token, and print it this once')
    .addOption(new Option('--role <role>', 'what it may do').choices(ACCESS_ROLES).default('viewer'))
    .option('--images <glob...>', 'which images it may see and change', ['*'])
    .option('--expires <time>', '90d, 2026-12-24 or 2026-12-24T18:00+01:00', '90d')
    .action(async (name: string, _options, command: Command) => {
      const { role, images, expires, ...common } = command.optsWithGlobals<Common & CreateFlags>();
      setExitCode(await createTokenCommand({ name, role, images, expires }, output, await depsOf(common)));
    });
  token
    .command('list')
    .description('tokens, newest first, without their secrets')
    .action(async (_options, command: Command) => {
      setExitCode(await listTokensCommand(output, await depsOf(command.optsWithGlobals<Common>())));
    });
  token
    .command('revoke')
    .argument('<id or name>')
    .description('refuse a token from now on')
    .action(async (what: string, _options, command: Command) => {
      setExitCode(await revokeTokenCommand(what, output, await depsOf(command.optsWithGlobals<Common>())));
    });
}

interface CreateFlags {
  readonly role: AccessRole;
  readonly images: readonly string[];
  readonly expires: string;
}

async function depsOf({ root, json }: Common) {
  return { ...(await composeTokens(await readConfig({ root }))), json };
}
