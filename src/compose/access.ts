import { resolve } from 'node:path';
import { createAuditLog } from '../access/audit.ts';
import { accessPaths } from '../access/paths.ts';
import { createTokenStore } from '../access/tokens.ts';
import type { Config } from '../config.ts';
import { readFleet } from '../definitions/read.ts';

/** Tokens of a fleet, by its files alone: nothing is started. */
export async function composeTokens(config: Config) {
  const { root, dataDirectory, person } = config;
  const paths = accessPaths(dataDirectory);
  // A host that has tokens need not have the fleet, when definitions come from git
  const folder = await readFleet(root).then(
    ({ settings }) => settings.access?.tokens,
    () => undefined,
  );
  return {
    tokens: createTokenStore({ directory: folder === undefined ? paths.tokens : resolve(root, folder) }),
    audit: createAuditLog({ path: paths.audit, print: () => {} }),
    person,
    now: () => new Date(),
  };
}
