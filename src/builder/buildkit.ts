import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { type Digest, isDigest } from '../domain/digest.ts';
import { KNOWN_PLATFORMS, type Platform, platformOf } from '../domain/platform.ts';
import { cloudIdentity, ExecError, type ExecOptions, type ExecResult, exec } from '../lib/exec.ts';
import { createRedactor } from '../lib/redact.ts';
import { buildArgs, type Connection, commandArgs, connectionArgs } from './buildctl-args.ts';
import { type Builder, BuilderError, type BuildRequest, type CommandRequest, type CommandResult } from './builder.ts';
import { buildError, cancelled, execFailure, isPushRaced, refusedByTls } from './buildkit-errors.ts';
import { commandDockerfile } from './command-dockerfile.ts';
import { commandResult } from './command-result.ts';
import { createLogReader, type Progress, readProgress } from './progress.ts';
import { refusalOfTls } from './tls-probe.ts';

export interface BuildKitOptions {
  /** Path of the buildctl program. */
  readonly buildctl: string;
  /** Where the daemon for a platform listens (`unix://…`, `tcp://…`); `undefined` when there is none. Asked anew each time. */
  readonly address: (platform: Platform) => string | undefined;
  /** The certificates that its daemon asks for; absent: it asks for none. */
  readonly tls?: ((platform: Platform) => Connection['tls']) | undefined;
  /** Folder with a Docker `config.json`; default as buildctl finds it. */
  readonly dockerConfig?: string | undefined;
  /** `host[:port]` of registries that speak plain HTTP. */
  readonly insecureRegistries: readonly string[];
  /** Folder for short-lived files; made when missing. */
  readonly runtimeDirectory: string;
}

const MINUTE_MS = 60_000;
/** An emulated build of a large image takes an hour; what takes longer hangs. */
const BUILD_TIMEOUT_MS = 120 * MINUTE_MS;
const COMMAND_TIMEOUT_MS = 10 * MINUTE_MS;
/** Of one build: what was built is in the cache, unless the build must be fresh. */
const MOST_PUSHES = 3;
const MAX_PROGRESS_BYTES = 256 * 1024 * 1024;

/** Builds with BuildKit through `buildctl` (facts: moby/buildkit 0.34). */
export function createBuildKit(options: BuildKitOptions): Builder {
  return {
    name: 'buildkit',
    platforms: (signal) => listPlatforms(options, signal),
    build: (request) => withFolder(options, (folder) => build(options, request, folder)),
    command: (request) => withFolder(options, (folder) => command(options, request, folder)),
  };
}

async function build(options: BuildKitOptions, request: BuildRequest, folder: string): Promise<Digest> {
  const redact = createRedactor(await readSecrets(request.secrets));
  const metadataFile = join(folder, 'metadata.json');
  const args = buildArgs(request, {
    ...connectionOf(options, request.platform),
    dockerfile: { folder: dirname(request.dockerfile), name: basename(request.dockerfile) },
    metadataFile,
    insecure: options.insecureRegistries.includes(request.push.registry),
  });
  const { onLog, signal } = request;
  const log = onLog && createLogReader((line) => onLog(redact(line)));
  const run = { redact, signal, timeout: BUILD_TIMEOUT_MS, onStderr: log?.read };
  for (let pushes = 1; ; pushes++) {
    const { exitCode, stderr } = await buildctl(options, args, run).finally(() => log?.end());
    if (exitCode === 0) return readDigest(metadataFile);
    const progress = readProgress(stderr);
    if (pushes < MOST_PUSHES && isPushRaced(progress)) continue;
    throw await failure(progress, redact, connectionOf(options, request.platform));
  }
}

/** Values that the build may print although it must not. */
async function readSecrets(secrets: BuildRequest['secrets'] = {}): Promise<string[]> {
  return Promise.all(Object.values(secrets).map((file) => readFile(file, 'utf8')));
}

const Metadata = z.object({
  'containerimage.descriptor': z.object({ mediaType: z.string(), digest: z.string().refine(isDigest) }),
});

async function readDigest(metadataFile: string): Promise<Digest> {
  const text = await readFile(metadataFile, 'utf8').catch(() => '{}');
  const { data } = Metadata.safeParse(JSON.parse(text));
  if (data === undefined) throw new BuilderError('buildctl did not say what it built', { code: 'protocol' });
  const { mediaType, digest } = data['containerimage.descriptor'];
  if (mediaType !== 'application/vnd.oci.image.manifest.v1+json')
    throw new BuilderError(`the build made ${mediaType} instead of a plain OCI manifest`, { code: 'protocol' });
  return digest;
}

async function command(options: BuildKitOptions, request: CommandRequest, folder: string): Promise<CommandResult> {
  await writeFile(join(folder, 'Dockerfile'), commandDockerfile(request));
  const args = commandArgs(request.platform, { ...connectionOf(options, request.platform), folder });
  const run = { redact: asIs, signal: request.signal, timeout: COMMAND_TIMEOUT_MS };
  const { exitCode, stderr } = await buildctl(options, args, run);
  const progress = readProgress(stderr);
  const result = commandResult(progress, { succeeded: exitCode === 0, commands: request.commands.length });
  if (result === undefined) throw await failure(progress, asIs, connectionOf(options, request.platform));
  return result;
}

/** A daemon that hung up before it did anything may have done so for our certificate: that does not pass by itself. */
async function failure(
  progress: Progress,
  redact: (text: string) => string,
  connection: Connection,
): Promise<BuilderError> {
  const error = buildError(progress, redact);
  const isEarly = progress.steps.length === 0 && error.code !== 'unauthorised';
  const why = isEarly ? await refusalOfTls(connection) : undefined;
  return why === undefined ? error : refusedByTls(connection.address, why);
}

const asIs = (text: string) => text;

const Workers = z.array(
  z.object({
    platforms: z.array(z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })),
  }),
);

/** Of each daemon's own list, the platforms that are given to it. A daemon that does not answer builds nothing now. */
async function listPlatforms(options: BuildKitOptions, signal?: AbortSignal): Promise<readonly Platform[]> {
  const addresses = KNOWN_PLATFORMS.map((platform) => options.address(platform));
  const asked = [...new Set(addresses.filter((address) => address !== undefined))];
  const tlsOf = (address: string) => options.tls?.(KNOWN_PLATFORMS[addresses.indexOf(address)]!);
  const answers = await Promise.allSettled(
    asked.map((address) => workerPlatforms(options, { address, tls: tlsOf(address) }, signal)),
  );
  const failure = answers.find(({ status }) => status === 'rejected');
  if (failure?.status === 'rejected' && answers.every(({ status }) => status === 'rejected')) throw failure.reason;
  const byAddress = new Map(asked.map((address, index) => [address, answers[index]!]));
  return KNOWN_PLATFORMS.filter((platform, index) => {
    const answer = byAddress.get(addresses[index]!);
    return answer?.status === 'fulfilled' && answer.value.includes(platform);
  });
}

async function workerPlatforms(
  options: BuildKitOptions,
  connection: Connection,
  signal?: AbortSignal,
): Promise<Platform[]> {
  const { address } = connection;
  const args = [...connectionArgs(connection), 'debug', 'workers', '--format', '{{json .}}'];
  const run = { redact: asIs, signal, timeout: MINUTE_MS / 2 };
  const { exitCode, stdout, stderr } = await buildctl(options, args, run);
  if (exitCode !== 0) throw await failure(readProgress(stderr), asIs, connection);
  const { data } = Workers.safeParse(JSON.parse(stdout.toString('utf8')));
  if (data === undefined) throw new BuilderError(`${address} did not list its platforms`, { code: 'protocol' });
  return data.flatMap(({ platforms }) => platforms.map(platformOf));
}

type Run = Pick<ExecOptions, 'signal' | 'timeout' | 'onStderr'> & { readonly redact: (text: string) => string };

async function buildctl(options: BuildKitOptions, args: string[], { redact, ...run }: Run): Promise<ExecResult> {
  const { buildctl: program, dockerConfig } = options;
  const env = { ...cloudIdentity(), ...(dockerConfig !== undefined && { DOCKER_CONFIG: dockerConfig }) };
  try {
    const result = await exec(program, args, { ...run, env, maxBuffer: MAX_PROGRESS_BYTES });
    // buildctl ends by itself when it is told to, and calls that a failure.
    if (result.exitCode !== 0 && run.signal?.aborted) throw cancelled();
    return result;
  } catch (error) {
    throw error instanceof ExecError ? execFailure(error, redact) : error;
  }
}

function connectionOf({ address, tls }: BuildKitOptions, platform: Platform): Connection {
  const known = address(platform);
  if (known !== undefined) return { address: known, tls: tls?.(platform) };
  throw new BuilderError(`no builder for ${platform}; name one as "builders:" in ingot.yaml`, { code: 'unavailable' });
}

async function withFolder<T>({ runtimeDirectory }: BuildKitOptions, use: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(runtimeDirectory, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(runtimeDirectory, 'build-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
