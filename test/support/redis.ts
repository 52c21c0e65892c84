import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

/** A Redis of a test's own, on a free port of the loopback. */
export interface TestRedis {
  readonly url: string;
  /** Ends it; what it holds is kept for `start`. */
  stop(): Promise<void>;
  /** As when its machine fails: nobody asks it, and it saves nothing more. */
  kill(): Promise<void>;
  /** Begins again at the same place; `empty`: without anything that it held. */
  start(options?: { readonly empty?: boolean }): Promise<void>;
  remove(): Promise<void>;
}

export async function startRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-redis-'));
  const port = await freePort();
  let child: ChildProcess | undefined = await run(port, folder);
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    child = undefined;
  };
  const stop = () => end('SIGTERM');
  return {
    url: `redis://127.0.0.1:${port}`,
    stop,
    kill: () => end('SIGKILL'),
    async start({ empty = false } = {}) {
      if (empty) await rm(join(folder, 'appendonlydir'), { recursive: true, force: true });
      child = await run(port, folder);
    },
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Ends with this process, however that ends. */
async function run(port: number, folder: string): Promise<ChildProcess> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'];
  const policy = ['--maxmemory-policy', 'noeviction'];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'redis-server', ...args, ...policy], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('Ready to accept connections')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
  });
  return child;
}
