import { readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { DefinitionError, FactoryError } from './domain/errors.ts';
import type { SigningSettings } from './domain/fleet/model.ts';
import { ListenAddress } from './domain/fleet/settings-access.ts';
import { LOG_FORMATS, type LogFormat } from './lib/log.ts';
import { createRedaction, type Redaction } from './lib/redaction.ts';
import { installedTool } from './lib/tool.ts';

/** What the environment decides. Settings of the fleet are in ingot.yaml. */
export interface Config {
  /** Folder of ingot.yaml, and of this machine's own files: keys, secrets. */
  readonly root: string;
  /** Where the definitions lie, when they were brought from elsewhere. */
  readonly definitions?: string;
  /** Everything that ingot keeps on this machine: `.ingot/` beside ingot.yaml, or `INGOT_DATA`. */
  readonly dataDirectory: string;
  /** The most that the cache of the embedded BuildKit takes: `INGOT_BUILD_CACHE`. */
  readonly buildCache?: string;
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
  /** Keeps what is secret out of logs; knows what the environment holds, and what is read later. */
  readonly redaction: Redaction;
  /** Of processes that keep running. */
  readonly logFormat: LogFormat;
  /** `host:port` of metrics and health, or `off`. Absent: loopback. */
  readonly metricsListen?: string;
  /** Whether traces are sent; where to is read by the exporter itself (`OTEL_EXPORTER_OTLP_*`). */
  readonly traces: boolean;
}

/** `host:port`, or `off`. */
export const MetricsListen = z.string().refine((text) => text === 'off' || ListenAddress.safeParse(text).success, {
  error: 'must be address:port, as in 0.0.0.0:9464, or "off"',
});

const OtlpProtocol = z
  .union([z.literal('http/protobuf'), z.literal('')], {
    error: 'ingot sends traces as http/protobuf only; name the port of the collector that takes that, mostly 4318',
  })
  .optional();

const Environment = z.object({
  INGOT_DATA: z.string().min(1).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'REDIS_URL is no redis:// or rediss:// address' }).optional(),
  DOCKER_CONFIG: z.string().min(1).optional(),
  HTTP_PROXY: z.string().optional(),
  HTTPS_PROXY: z.string().optional(),
  NO_PROXY: z.string().optional(),
  NODE_EXTRA_CA_CERTS: z.string().optional(),
  INGOT_LOG_FORMAT: z.enum(LOG_FORMATS, { error: `must be ${LOG_FORMATS.join(' or ')}` }).default('text'),
  INGOT_METRICS_LISTEN: MetricsListen.optional(),
  INGOT_BUILD_CACHE: z
    .string()
    .regex(/^([1-9]\d*(\.\d+)?[MGT]B|[1-9]\d?%)$/, 'must be a size or a share of the disk, as in 50GB or 20%')
    .optional(),
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_TRACES_EXPORTER: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: OtlpProtocol,
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: OtlpProtocol,
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
  const redaction = environmentRedaction(env);
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
    secret(name) {
      redaction.learn(env[name]);
      return env[name];
    },
    redaction,
    logFormat: found.INGOT_LOG_FORMAT,
    ...(found.INGOT_METRICS_LISTEN === undefined ? {} : { metricsListen: found.INGOT_METRICS_LISTEN }),
    ...(found.INGOT_BUILD_CACHE === undefined ? {} : { buildCache: found.INGOT_BUILD_CACHE }),
    traces: sendsTraces(found),
  };
}

/** Knows the secrets that the environment holds. */
export function environmentRedaction(env: NodeJS.ProcessEnv = process.env): Redaction {
  const redaction = createRedaction();
  redaction.learn(...secretsIn(env));
  return redaction;
}

/** Names of variables that mostly hold a secret, and not the place of one. */
const SECRET_VARIABLE = /(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|_KEY|APIKEY|WEBHOOK_URL)$/i;

/** What no log may show, whoever put it there: values by the names of their variables, and passwords in addresses. */
function secretsIn(env: NodeJS.ProcessEnv): readonly string[] {
  const named = Object.entries(env).flatMap(([name, value]) => (value && SECRET_VARIABLE.test(name) ? [value] : []));
  const addresses = [env.REDIS_URL, env.HTTP_PROXY, env.HTTPS_PROXY, env.http_proxy, env.https_proxy];
  const headers = [env.OTEL_EXPORTER_OTLP_HEADERS, env.OTEL_EXPORTER_OTLP_TRACES_HEADERS];
  return [
    ...named,
    ...addresses.flatMap((address) => passwordsIn(address)),
    ...headers.flatMap((text = '') => text.split(',').map((pair) => pair.slice(pair.indexOf('=') + 1))),
  ];
}

function passwordsIn(address: string | undefined): readonly string[] {
  if (address === undefined || !URL.canParse(address)) return [];
  const { password } = new URL(address);
  return password === '' ? [] : [password, decodeURIComponent(password)];
}

function sendsTraces(found: z.infer<typeof Environment>): boolean {
  if (found.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || found.OTEL_TRACES_EXPORTER === 'none') return false;
  return Boolean(found.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || found.OTEL_EXPORTER_OTLP_ENDPOINT);
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
