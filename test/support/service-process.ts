import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const CLI = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');

/** One process of the service, as an organisation would run it. */
export interface ServiceProcess {
  readonly pid: number;
  /** What it wrote so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Ends it as a machine does that shuts down. @returns its exit code */
  stop(): Promise<number | null>;
}

export interface ServiceOptions {
  readonly root: string;
  readonly data: string;
  readonly redis: string;
  readonly ready: RegExp;
  /** Beside that of the test. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** `ingot VERB…` that keeps running, with a data directory of its own; there when it says so. */
export async function startService(args: readonly string[], options: ServiceOptions): Promise<ServiceProcess> {
  const { root, data, redis, ready } = options;
  const env = { ...process.env, INGOT_DATA: data, REDIS_URL: redis, ...options.env };
  const command = ['--pdeathsig', 'KILL', '--', process.execPath, CLI, '-C', root, ...args];
  const child = spawn('setpriv', command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (ready.test(text)) resolve();
    });
  }
  child.once('exit', (code, signal) =>
    reject(new Error(`ingot ${args.join(' ')} ended (${code ?? signal}):\n${text}`)),
  );
  await promise;
  return { pid: child.pid!, output: () => text, kill: (signal) => void child.kill(signal), stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit') as Promise<[number | null]>;
  child.kill('SIGTERM');
  return (await exited)[0];
}
