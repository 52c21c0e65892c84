import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Fleet } from '../domain/fleet/model.ts';
import { secretVariablesIn } from '../domain/fleet/secret-variables.ts';
import { storedSecrets } from '../registry/credentials.ts';

/**
 * Lets the log know all secrets that this machine has for the fleet, also those that this process has no use for: a test
 * or a tool may print them, and what it prints is told.
 */
export async function learnSecrets({ redaction, secret, dockerConfig }: Config, fleet: Fleet): Promise<void> {
  for (const name of secretVariablesIn(fleet)) secret(name); // what is read is learnt
  redaction.learn(...(await storedSecrets({ path: join(dockerConfig, 'config.json') })));
}
