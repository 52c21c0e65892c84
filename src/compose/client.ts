import { readFile } from 'node:fs/promises';
import { type ApiClient, createApiClient } from '../client/api-client.ts';
import type { Config } from '../config.ts';
import { FactoryError } from '../domain/errors.ts';
import { DEFAULT_LISTEN } from '../domain/fleet/settings-access.ts';
import { createHttp } from '../lib/http.ts';
import { VERSION } from '../version.ts';

export interface ServerOptions {
  /** Default: `INGOT_SERVER`, else this machine. */
  readonly server?: string | undefined;
  /** Default: `INGOT_TOKEN`, else the file that `INGOT_TOKEN_FILE` names. */
  readonly tokenFile?: string | undefined;
}

/** A client of a served factory, with this machine's proxy, authorities and token. */
export async function composeClient(
  config: Config,
  { server, tokenFile }: ServerOptions,
): Promise<{ readonly client: ApiClient; close(): Promise<void> }> {
  const { proxy, ca, secret } = config;
  const address = server ?? secret('INGOT_SERVER') ?? `http://${DEFAULT_LISTEN}`;
  const file = tokenFile ?? (secret('INGOT_TOKEN') ? undefined : secret('INGOT_TOKEN_FILE'));
  const token = (file === undefined ? secret('INGOT_TOKEN') : await readToken(file))?.trim();
  const http = createHttp({ connectionsPerHost: 8, userAgent: `ingot/${VERSION}`, timeoutMs: 60_000, proxy, ca });
  return { client: createApiClient({ http, server: address, token }), close: () => http.close() };
}

async function readToken(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: Error) => {
    throw new FactoryError(`the token cannot be read: ${cause.message}`, { code: 'configuration', cause });
  });
}
