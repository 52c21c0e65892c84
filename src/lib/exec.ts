import { createInterface } from 'node:readline';
import { execa, type Options } from 'execa';
import { FactoryError } from '../domain/errors.ts';

export interface ExecOptions {
  readonly cwd?: string | undefined;
  /** The whole environment of the child: nothing is inherited but what stands here, PATH and HOME. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly input?: string | Uint8Array | undefined;
  /** Milliseconds; default ten minutes. */
  readonly timeout?: number | undefined;
  /** Bytes of stdout and of stderr that are kept; default 64 MiB. More ends the child. */
  readonly maxBuffer?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called for each line, as it comes. */
  readonly onStdout?: ((line: string) => void) | undefined;
  readonly onStderr?: ((line: string) => void) | undefined;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export type ExecErrorCode = 'not-found' | 'timed-out' | 'cancelled' | 'output-too-large' | 'killed';

/** The program could not be run to its end. A non-zero exit is a result, not an error. */
export class ExecError extends FactoryError<ExecErrorCode> {}

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
const DEFAULT_MAX_BUFFER = 64 * 1024 * 1024;
const PIPE_GRACE_MS = 2_000;

/**
 * Runs a program without a shell, bounded in time and output, ended when the signal says so. It has a process group of
 * its own: what it started and left behind ends with it, when that still holds its pipes.
 */
export async function exec(program: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const child = execa(program, args, toExecaOptions(options));
  watchLines(child.stdout, options.onStdout);
  watchLines(child.stderr, options.onStderr);
  const release = endLeftovers(child);
  const result = await child.finally(release);
  // One that is asked to end may do so with an exit code of its own: what it wrote by then is no result.
  const isCutShort = result.timedOut || result.isCanceled || result.isMaxBuffer;
  if (result.exitCode === undefined || isCutShort) throw toExecError(program, result);
  return {
    exitCode: result.exitCode,
    stdout: Buffer.from(result.stdout as Uint8Array),
    stderr: Buffer.from(result.stderr as Uint8Array).toString('utf8'),
  };
}

/** @returns to be called when nothing is waited for any more */
function endLeftovers(child: ReturnType<typeof execa>): () => void {
  const timers: NodeJS.Timeout[] = [];
  child.once('exit', (code) => {
    if (code === null) signalGroup(child.pid, 'SIGTERM');
    timers.push(setTimeout(() => signalGroup(child.pid, 'SIGKILL'), PIPE_GRACE_MS));
  });
  return () => timers.forEach(clearTimeout);
}

function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch {
    // Nobody is left in it.
  }
}

function toExecaOptions(options: ExecOptions) {
  return {
    cwd: options.cwd,
    env: { ...childEnvironment(), ...options.env } as Record<string, string>,
    extendEnv: false,
    input: options.input,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    timeout: options.timeout ?? DEFAULT_TIMEOUT_MS,
    maxBuffer: options.maxBuffer ?? DEFAULT_MAX_BUFFER,
    cancelSignal: options.signal,
    forceKillAfterDelay: 5_000,
    detached: true,
    cleanup: true,
    encoding: 'buffer',
    stripFinalNewline: false,
    reject: false,
  } as const satisfies Options;
}

/** What a child may see of our own environment: never ingot's settings, which may hold secrets. */
export function childEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^INGOT_|^OTEL_|TOKEN|SECRET|PASSWORD|^REDIS_URL$/i.test(entry[0]),
  );
  return Object.fromEntries(entries);
}

/**
 * Who this machine is in a cloud, for programs that ask a registry's credential helper: names, keys and files of web
 * identities as the SDKs of AWS, Azure and Google read them.
 */
export function cloudIdentity(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(AWS|AZURE|GOOGLE)_/.test(name)));
}

function watchLines(stream: NodeJS.ReadableStream | undefined, onLine: ((line: string) => void) | undefined): void {
  if (stream === undefined || onLine === undefined) return;
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
}

function toExecError(program: string, result: Failure): ExecError {
  const { code, cause } = result;
  if (code === 'ENOENT')
    return new ExecError(`${program} is not installed or not on PATH`, { code: 'not-found', cause });
  if (code === 'EACCES') return new ExecError(`${program} may not be executed`, { code: 'not-found', cause });
  if (result.timedOut) return new ExecError(`${program} took too long`, { code: 'timed-out', retryable: true });
  if (result.isCanceled) return new ExecError(`${program} was cancelled`, { code: 'cancelled' });
  if (result.isMaxBuffer) return new ExecError(`${program} wrote too much`, { code: 'output-too-large' });
  const how = result.signal ? `was ended by ${result.signal}` : `could not be started (${code ?? 'unknown reason'})`;
  return new ExecError(`${program} ${how}`, { code: 'killed', retryable: true, cause });
}

interface Failure {
  readonly code?: string | undefined;
  readonly cause?: unknown;
  readonly timedOut: boolean;
  readonly isCanceled: boolean;
  readonly isMaxBuffer: boolean;
  readonly signal?: string | undefined;
}
