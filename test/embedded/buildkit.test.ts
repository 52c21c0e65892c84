import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildkitConfig } from '../../src/embedded/buildkit.ts';
import { type Embedded, startEmbedded } from '../../src/embedded/embedded.ts';
import { childrenOf, identify, isRunning, sendSignal, waitUntil } from '../../src/embedded/processes.ts';
import { startElsewhere, temporaryDirectory } from './support.ts';

const run = promisify(execFile);
const buildctl = join(import.meta.dirname, '..', '..', '.tools', 'bin', 'buildctl');
let data: string;
let remove: () => Promise<void>;
let embedded: Embedded | undefined;

beforeEach(async () => {
  ({ path: data, remove } = await temporaryDirectory());
});

afterEach(async () => {
  await embedded?.close();
  embedded = undefined;
  await remove();
});

const daemonState = async () => JSON.parse(await readFile(join(data, 'buildkit', 'state.json'), 'utf8'));

/** A build that would take ten minutes. */
async function longBuild(address: string) {
  const context = join(data, 'context');
  await mkdir(context, { recursive: true });
  await copyFile('/bin/busybox', join(context, 'busybox'));
  await writeFile(
    join(context, 'Dockerfile'),
    'FROM scratch\nCOPY busybox /bin/\nRUN ["/bin/busybox", "sleep", "613"]\n',
  );
  const local = ['--local', `context=${context}`, '--local', `dockerfile=${context}`];
  const args = [
    '--addr',
    address,
    'build',
    '--no-cache',
    '--progress',
    'plain',
    '--frontend',
    'dockerfile.v0',
    ...local,
  ];
  const client = spawn(buildctl, args, { stdio: 'ignore' });
  expect(await waitUntil(async () => (await sleepers()).length === 1, 20_000)).toBe(true);
  return { ended: once(client, 'exit') };
}

/** The processes of that build. */
async function sleepers(): Promise<number[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(numbers.map((n) => readFile(`/proc/${n}/cmdline`, 'utf8').catch(() => '')));
  return numbers.map(Number).filter((_, index) => lines[index] === '/bin/busybox\0sleep\x00613\0');
}

test('starts a daemon that knows the registry next to it, and stops it', async () => {
  embedded = await startEmbedded({ dataDirectory: data, needs: { registry: true, buildkit: true } });

  const { stdout } = await run(buildctl, ['--addr', embedded.buildkit as string, 'debug', 'workers']);
  expect(stdout).toContain('linux/amd64');
  expect(await readFile(join(data, 'buildkit', 'buildkitd.toml'), 'utf8')).toContain(
    `[registry."${embedded.registry}"]`,
  );
  const daemon = await daemonState();
  await embedded.close();

  expect(await isRunning(daemon)).toBe(false);
});

test('the containers of a build and their mounts end with a killed owner', async () => {
  const owner = await startElsewhere(data, ['buildkit']);
  const build = await longBuild(owner.addresses.buildkit as string);
  const daemon = await daemonState();

  await owner.kill('SIGKILL');

  expect(await waitUntil(async () => (await sleepers()).length === 0, 5_000)).toBe(true);
  expect(await isRunning(daemon)).toBe(false);
  await build.ended;
  expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(data);
});

test('the containers of a build end with a killed daemon, and a new one builds on', async () => {
  embedded = await startEmbedded({ dataDirectory: data, needs: { buildkit: true } });
  const build = await longBuild(embedded.buildkit as string);
  const before = await daemonState();
  const [daemon = 0] = await childrenOf(before.pid);

  sendSignal(daemon, 'SIGKILL');

  await build.ended;
  const address = embedded.buildkit as string;
  const back = async () => {
    const { pid } = await daemonState().catch(() => before);
    return (
      pid !== before.pid &&
      run(buildctl, ['--addr', address, 'debug', 'workers']).then(
        () => true,
        () => false,
      )
    );
  };
  expect(await waitUntil(back, 20_000)).toBe(true);
  expect(await sleepers()).toEqual([]);
  expect(await identify(before.pid)).toBeUndefined();
});

test('closing ends a build that runs', async () => {
  embedded = await startEmbedded({ dataDirectory: data, needs: { buildkit: true } });
  const build = await longBuild(embedded.buildkit as string);

  await embedded.close();

  await build.ended;
  expect(await sleepers()).toEqual([]);
});

test('a registry without TLS is written down for the daemon', () => {
  expect(buildkitConfig(['127.0.0.1:5000', 'registry.internal:80'])).toContain(
    '[registry."127.0.0.1:5000"]\n  http = true\n\n[registry."registry.internal:80"]\n  http = true\n',
  );
});
