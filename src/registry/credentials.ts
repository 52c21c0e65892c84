import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { identityOf } from '../lib/budget.ts';
import { cloudIdentity, exec } from '../lib/exec.ts';
import { RegistryError } from './registry.ts';

/** A name and password, or a token that is exchanged for access tokens (OAuth2 refresh token). */
export type Credential = { readonly username: string; readonly password: string } | { readonly identityToken: string };

export interface Credentials {
  /** @param registry the host as people write it; `undefined`: go there without credentials */
  find(registry: string): Promise<Credential | undefined>;
}

/** An identity token is of no use to a registry that knows Basic alone. */
export function basic(credential: Credential): string | undefined {
  if ('identityToken' in credential) return undefined;
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

/** Whose limits count. Identity tokens tell no account: all of a host are taken for one. */
export function identityOfCredential(credential: Credential): string {
  return identityOf('identityToken' in credential ? '<token>' : credential.username);
}

const ConfigFile = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
});

const HelperAnswer = z.object({ Username: z.string(), Secret: z.string() });

/**
 * Credentials as `docker login` leaves them.
 * @param path of Docker's `config.json`; one that does not exist means no credentials
 */
export function createDockerCredentials({ path }: { path: string }): Credentials {
  return {
    async find(registry) {
      const config = await readConfigFile(path);
      const keys = keysOf(registry);
      const helper = keys.map((key) => config.credHelpers[key]).find(Boolean) ?? config.credsStore;
      const found = helper === undefined ? undefined : await askHelper(helper, keys);
      return found ?? plainCredential(config, keys);
    },
  };
}

/** Every secret in there, as it is and as it stands in a header (RFC 7617). None where the file cannot be read. */
export async function storedSecrets({ path }: { path: string }): Promise<readonly string[]> {
  const config = await readConfigFile(path).catch(() => undefined);
  return Object.keys(config?.auths ?? {}).flatMap((key) => {
    const found = plainCredential(config!, [key]);
    return found === undefined ? [] : secretsOf(found);
  });
}

/** See `storedSecrets`. */
export function secretsOf(credential: Credential): readonly string[] {
  if ('identityToken' in credential) return [credential.identityToken];
  return [credential.password, `${credential.username}:${credential.password}`];
}

/** Docker Hub is filed under an address of its first version. */
function keysOf(registry: string): readonly string[] {
  if (registry === 'docker.io') return ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io'];
  return [registry, `https://${registry}`, `https://${registry}/v1/`, `https://${registry}/v2/`];
}

async function readConfigFile(path: string) {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw unreadable(path, error.code ?? 'it cannot be read');
  });
  try {
    return ConfigFile.parse(JSON.parse(text));
  } catch {
    // Without cause: an error of the parser quotes the text, which holds passwords
    throw unreadable(path, 'it is no Docker config.json');
  }
}

function unreadable(path: string, why: string): RegistryError {
  return new RegistryError(`credentials of ${path}: ${why}; repair it or run "docker login" again`, {
    code: 'configuration',
  });
}

function plainCredential({ auths }: z.infer<typeof ConfigFile>, keys: readonly string[]): Credential | undefined {
  const entry = keys.map((key) => auths[key]).find(Boolean);
  if (entry === undefined) return undefined;
  if (entry.identitytoken) return { identityToken: entry.identitytoken };
  if (entry.username && entry.password) return { username: entry.username, password: entry.password };
  const decoded = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 1 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

const HELPER_TIMEOUT_MS = 30_000;

/** https://github.com/docker/docker-credential-helpers: the server's name on stdin, JSON on stdout. */
async function askHelper(name: string, keys: readonly string[]): Promise<Credential | undefined> {
  const program = `docker-credential-${name}`;
  for (const key of keys) {
    const options = { env: cloudIdentity(), input: key, timeout: HELPER_TIMEOUT_MS };
    const { exitCode, stdout } = await exec(program, ['get'], options);
    const answer = HelperAnswer.safeParse(exitCode === 0 ? tryJson(stdout.toString('utf8')) : undefined);
    if (answer.success) return fromHelper(answer.data);
    if (!/not found/i.test(stdout.toString('utf8'))) {
      throw new RegistryError(
        `${program} gave no credentials for ${key} (exit ${exitCode}); run "docker login" again`,
        {
          code: 'unauthorised',
        },
      );
    }
  }
  return undefined;
}

function fromHelper({ Username, Secret }: z.infer<typeof HelperAnswer>): Credential | undefined {
  if (Secret === '') return undefined;
  return Username === '<token>' ? { identityToken: Secret } : { username: Username, password: Secret };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
