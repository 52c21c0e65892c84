import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';

/** A registry of a test's own, empty at first. */
export interface TestRegistry {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  stop(): Promise<void>;
}

export interface DistributionOptions {
  readonly auth?: Readonly<Record<string, unknown>>;
  /** Of a registry that is started again: what it holds stays when it stops, and goes with the test's own folder. */
  readonly folder?: string;
  readonly address?: string;
}

/** CNCF distribution 2.8: deletes by digest alone, knows no referrers, no paging. */
export async function startDistribution(options: DistributionOptions = {}): Promise<TestRegistry> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'ingot-registry-')));
  const file = join(folder, 'config.yml');
  const storage = { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } };
  const http = { addr: options.address ?? '127.0.0.1:0', secret: 'test' };
  const auth = options.auth === undefined ? {} : { auth: options.auth };
  await writeFile(file, stringify({ version: 0.1, log: { level: 'info' }, storage, http, ...auth }));
  const child = start('docker-registry', ['serve', file]);
  const address = await firstMatch(child, /listening on (127\.0\.0\.1:\d+)/);
  return {
    address,
    async stop() {
      await end(child);
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** go-containerregistry's registry in memory: lists referrers, deletes tags. */
export async function startReferrersRegistry(): Promise<TestRegistry> {
  const child = start(join(import.meta.dirname, '..', '..', '.tools', 'bin', 'test-registry'), []);
  return { address: await firstMatch(child, /^(127\.0\.0\.1:\d+)$/), stop: () => end(child) };
}

/** Ends with this process, however that ends. */
function start(program: string, args: readonly string[]): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
}

async function firstMatch(child: ChildProcess, pattern: RegExp): Promise<string> {
  const lines: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  for (const input of [child.stdout!, child.stderr!]) {
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      const found = pattern.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
  }
  child.once('error', reject);
  child.once('exit', () => reject(new Error(`the registry ended at once:\n${lines.join('\n')}`)));
  return promise;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Forgets a blob, as a broken disk or a careless clean-up would. Distribution only. */
export async function removeBlob(
  { registry, repository }: { registry: string; repository: string },
  digest: string,
): Promise<void> {
  const { status } = await fetch(`http://${registry}/v2/${repository}/blobs/${digest}`, { method: 'DELETE' });
  if (status !== 202) throw new Error(`${registry} did not remove ${digest}: ${status}`);
}
