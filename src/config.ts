import { readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { DefinitionError, FactoryError } from './domain/errors.ts';
import type { SigningSettings } from './domain/fleet/model.ts';
import { installedTool } from './lib/tool.ts';

/** What the environment decides. Settings of the fleet are in ingot.yaml. */
export interface Config {
  /** Folder of ingot.yaml, and of this machine's own files: keys, secrets. */
  readonly root: string;
  /** Where the definitions lie, when they were brought from elsewhere. */
  readonly definitions?: string;
  /** Everything that ingot keeps on this machine: `.ingot/` beside ingot.yaml, or `INGOT_DATA`. */
  readonly dataDirectory: string;
  /** Absent: an embedded Redis. Never logged: it may hold a password. */
  readonly redisUrl?: string;
  /** Folder of Docker's config.json, for registry credentials. */
  readonly dockerConfig: string;
  readonly proxy: { readonly http?: string; readonly https?: string; readonly no?: string };
  /** PEM of further certificate authorities. */
  readonly ca?: string;
  /** Path of a program that set-up installed, else its name: then PATH decides. */
  readonly tool: (name: string) => string;
  /** Who gives the command, as CI or the machine says: a claim that is recorded, and no proof. */
  readonly person: string;
  /** A secret by the name of its variable. */
  readonly secret: (name: string) => string | undefined;
}

const Environment = z.object({
  INGOT_DATA: z.string().min(1).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'REDIS_URL is no redis:// or rediss:// address' }).optional(),
  DOCKER_CONFIG: z.string().min(1).optional(),
  HTTP_PROXY: z.string().optional(),
  HTTPS_PROXY: z.string().optional(),
  NO_PROXY: z.string().optional(),
  NODE_EXTRA_CA_CERTS: z.string().optional(),
});

export interface ConfigOptions {
  /** Default: the working directory. */
  readonly root?: string | undefined;
  /** Default: `INGOT_DATA`, or `.ingot/` beside ingot.yaml. */
  readonly dataDirectory?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
}

/** Reads the environment; every mistake at once. */
export async function readConfig({
  root = '.',
  dataDirectory,
  env = process.env,
}: ConfigOptions = {}): Promise<Config> {
  const given = {
    ...env,
    HTTP_PROXY: env.HTTP_PROXY ?? env.http_proxy,
    HTTPS_PROXY: env.HTTPS_PROXY ?? env.https_proxy,
  };
  const parsed = Environment.safeParse({ ...given, NO_PROXY: env.NO_PROXY ?? env.no_proxy });
  if (!parsed.success) {
    throw new DefinitionError(
      parsed.error.issues.map(({ message, path }) => ({ file: `environment ${path.join('.')}`, message })),
    );
  }
  const found = parsed.data;
  const folder = resolve(root);
  const ca =
    found.NODE_EXTRA_CA_CERTS === undefined
      ? undefined
      : await readFile(found.NODE_EXTRA_CA_CERTS, 'utf8').catch(() => undefined);
  return {
    root: folder,
    dataDirectory: resolve(dataDirectory ?? found.INGOT_DATA ?? join(folder, '.ingot')),
    ...(found.REDIS_URL === undefined ? {} : { redisUrl: found.REDIS_URL }),
    dockerConfig: found.DOCKER_CONFIG ?? join(homedir(), '.docker'),
    proxy: proxyOf(found),
    ...(ca === undefined ? {} : { ca }),
    tool: installedTool,
    person: personIn(env),
    secret: (name) => env[name],
  };
}

/** What CI systems say who started a job; else git's own variable, and the user of the machine. */
const PERSON_VARIABLES = ['GITHUB_ACTOR', 'GITLAB_USER_LOGIN', 'BUILD_USER_ID', 'GIT_AUTHOR_NAME'];

function personIn(env: NodeJS.ProcessEnv): string {
  const named = PERSON_VARIABLES.map((name) => env[name]?.trim()).find((value) => value);
  if (named !== undefined) return named;
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`; // a container whose user has no name
  }
}

function proxyOf({ HTTP_PROXY, HTTPS_PROXY, NO_PROXY }: z.infer<typeof Environment>): Config['proxy'] {
  return {
    ...(HTTP_PROXY && { http: HTTP_PROXY }),
    ...(HTTPS_PROXY && { https: HTTPS_PROXY }),
    ...(NO_PROXY && { no: NO_PROXY }),
  };
}

/**
 * The PEM of the signing key, from where ingot.yaml says; `undefined` when it says nothing.
 * @throws FactoryError `configuration` when it is named but not there
 */
export async function readSigningKey({ key }: SigningSettings, config: Config): Promise<string | undefined> {
  if (key === undefined) return config.secret('INGOT_SIGNING_KEY');
  if ('env' in key) {
    const pem = config.secret(key.env);
    if (pem) return pem;
    throw missingKey(`the variable ${key.env} is empty`, `put the PEM of the private key into ${key.env}`);
  }
  const path = resolve(config.root, key.file);
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw missingKey(`${path} cannot be read`, `"ingot keys create --out ${key.file}" makes one`, cause);
  });
}

function missingKey(what: string, remedy: string, cause?: unknown): FactoryError<'configuration'> {
  return new FactoryError(`no signing key: ${what}; ${remedy}`, { code: 'configuration', cause });
}
