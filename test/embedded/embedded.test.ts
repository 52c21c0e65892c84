import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Embedded, type EmbeddedOptions, startEmbedded } from '../../src/embedded/embedded.ts';
import type { PartName } from '../../src/embedded/part.ts';
import { answers } from '../../src/embedded/probe.ts';
import { identify, isRunning, sendSignal, waitUntil } from '../../src/embedded/processes.ts';
import { startElsewhere, temporaryDirectory } from './support.ts';

const run = promisify(execFile);
let data: string;
let remove: () => Promise<void>;
const running: { close: () => Promise<void> }[] = [];

beforeEach(async () => {
  ({ path: data, remove } = await temporaryDirectory());
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.close()));
  await remove();
});

async function start(needs: readonly PartName[], options: Partial<EmbeddedOptions> = {}): Promise<Embedded> {
  const wanted = Object.fromEntries(needs.map((name) => [name, true]));
  const embedded = await startEmbedded({ dataDirectory: data, needs: wanted, ...options });
  running.push(embedded);
  return embedded;
}

async function other(needs: readonly PartName[]) {
  const process = await startElsewhere(data, needs);
  running.push({ close: async () => sendSignal(process.pid, 'SIGKILL') });
  return process;
}

async function stateOf(part: PartName, directory = data): Promise<{ pid: number; started: string; address: string }> {
  return JSON.parse(await readFile(join(directory, part, 'state.json'), 'utf8'));
}

const pings = (path: string) => answers({ to: { path }, send: 'PING\r\n', expect: /^\+PONG/ });
const redis = async (socket: string, ...args: string[]) => (await run('redis-cli', ['-s', socket, ...args])).stdout;
const serves = async (address: string) => (await fetch(`http://${address}/v2/`).catch(() => undefined))?.status === 200;

test('starts Redis and the registry side by side and stops them', async () => {
  const embedded = await start(['redis', 'registry']);

  expect(await redis(embedded.redis as string, 'config', 'get', 'maxmemory-policy')).toContain('noeviction');
  expect(await redis(embedded.redis as string, 'config', 'get', 'appendonly')).toContain('yes');
  expect(await serves(embedded.registry as string)).toBe(true);
  expect(embedded.owner).toBe(true);
  const children = [await stateOf('redis'), await stateOf('registry')];

  await embedded.close();

  for (const child of children) expect(await isRunning(child)).toBe(false);
});

test('starts only what is needed', async () => {
  const embedded = await start(['registry']);

  expect(embedded).not.toHaveProperty('redis');
  expect(embedded).not.toHaveProperty('buildkit');
});

test('keeps the data and the addresses over a restart', async () => {
  const first = await start(['redis', 'registry']);
  await redis(first.redis as string, 'set', 'kept', 'yes');
  await first.close();

  const second = await start(['redis', 'registry']);

  expect(second.registry).toBe(first.registry);
  expect(await redis(second.redis as string, 'get', 'kept')).toBe('yes\n');
});

test('a data directory with a very long path works', async () => {
  data = join(data, 'a-folder-name-of-forty-characters-in-all'.repeat(3));

  const { redis: socket = '' } = await start(['redis']);

  expect(socket.length).toBeLessThan(100);
  expect(await pings(socket)).toBe(true);
});

test('two data directories do not meet', async () => {
  const elsewhere = await temporaryDirectory();
  running.push({ close: elsewhere.remove });
  const [here, there] = await Promise.all([
    start(['redis', 'registry']),
    start(['redis', 'registry'], { dataDirectory: elsewhere.path }),
  ]);

  expect(there.redis).not.toBe(here.redis);
  expect(there.registry).not.toBe(here.registry);
  expect([here.owner, there.owner]).toEqual([true, true]);
  await there.close();
  expect(await pings(here.redis as string)).toBe(true);
});

test('a second process uses the running parts and stops nothing', async () => {
  const owner = await other(['redis', 'registry']);

  const attached = await start(['redis', 'registry']);

  expect(attached).toMatchObject({ ...owner.addresses, owner: false });
  await attached.close();
  expect(await pings(owner.addresses.redis as string)).toBe(true);
});

test('many processes that start at once have one owner', async () => {
  const all = await Promise.all([1, 2, 3, 4].map(() => other(['redis'])));

  expect(all.filter(({ owner }) => owner)).toHaveLength(1);
  expect(new Set(all.map(({ addresses }) => addresses.redis)).size).toBe(1);
});

test('a part that the first process does not run is started by the second', async () => {
  const first = await other(['registry']);

  const second = await start(['redis', 'registry']);

  expect(second.registry).toBe(first.addresses.registry);
  expect(second.owner).toBe(true);
  expect(await pings(second.redis as string)).toBe(true);
});

test('the children end when their owner is killed', async () => {
  const owner = await other(['redis', 'registry']);
  const children = [await stateOf('redis'), await stateOf('registry')];

  await owner.kill('SIGKILL');

  for (const child of children) expect(await waitUntil(async () => !(await isRunning(child)), 5_000)).toBe(true);
});

test('starts again at once after its owner was killed', async () => {
  const owner = await other(['redis', 'registry']);
  await redis(owner.addresses.redis as string, 'set', 'kept', 'yes');
  await owner.kill('SIGKILL');

  const next = await start(['redis', 'registry']);

  expect(next).toMatchObject({ ...owner.addresses, owner: true });
  expect(await redis(next.redis as string, 'get', 'kept')).toBe('yes\n');
});

test('who is attached goes on with the part when its owner is killed', async () => {
  const owner = await other(['redis']);
  const attached = await start(['redis']);
  const before = await stateOf('redis');

  await owner.kill('SIGKILL');

  const back = async () =>
    (await stateOf('redis').catch(() => before)).pid !== before.pid && pings(attached.redis as string);
  expect(await waitUntil(back, 10_000)).toBe(true);
});

test('a child that dies is started again at the same address', async () => {
  const lines: string[] = [];
  const { registry = '' } = await start(['registry'], { log: (line) => lines.push(line) });
  const before = await stateOf('registry');

  sendSignal(before.pid, 'SIGKILL');

  const back = async () => (await stateOf('registry')).pid !== before.pid && serves(registry);
  expect(await waitUntil(back, 10_000)).toBe(true);
  expect(lines).toEqual(['the embedded registry ended (SIGKILL); starting it again']);
});

test('a child that dies again and again is given up, and another process may try', async () => {
  const lines: string[] = [];
  const killed = new Set<number>();
  await start(['registry'], { log: (line) => lines.push(line) });

  const givenUp = async () => {
    const { pid } = await stateOf('registry');
    if (!killed.has(pid)) sendSignal(pid, 'SIGKILL');
    killed.add(pid);
    return lines.some((line) => line.includes('given up'));
  };

  expect(await waitUntil(givenUp, 30_000)).toBe(true);
  expect(killed.size).toBe(6);
  expect((await start(['registry'])).owner).toBe(true);
});

test('ends a child that an earlier ingot left behind', async () => {
  const first = await start(['redis']);
  await first.close();
  const { promise, resolve } = Promise.withResolvers<void>();
  const left = execFile('sleep', ['600'], () => resolve());
  const id = await identify(left.pid as number);
  await writeFile(join(data, 'redis', 'state.json'), JSON.stringify({ ...id, address: first.redis }));

  await start(['redis']);

  await promise;
  expect(left.signalCode).toBe('SIGTERM');
});

test('does not touch a process that was given the number of an earlier child', async () => {
  const first = await start(['redis']);
  await first.close();
  const stranger = execFile('sleep', ['600']);
  const state = { pid: stranger.pid, started: '1', address: first.redis };
  await writeFile(join(data, 'redis', 'state.json'), JSON.stringify(state));

  await start(['redis']);

  expect(stranger.signalCode).toBeNull();
  expect(stranger.exitCode).toBeNull();
  stranger.kill();
});

test('says what to do when the port of the registry is taken', async () => {
  const first = await start(['redis', 'registry']);
  const port = Number(first.registry?.split(':')[1]);
  await first.close();
  const squatter = createServer().listen(port, '127.0.0.1');

  const again = start(['redis', 'registry']);

  await expect(again).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining(`port ${port}`),
  });
  expect(await pings(first.redis as string)).toBe(false);
  await new Promise((resolve) => squatter.close(resolve));
});

test('says what the program itself said when it does not start', async () => {
  const findTool = async () => '/bin/false';

  const failing = start(['redis'], { findTool });

  await expect(failing).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('exit code 1') });
});

test('names a program that is not installed', async () => {
  const findTool = async (name: string) => `no-such-${name}`;

  const failing = start(['redis'], { findTool });

  await expect(failing).rejects.toThrow(/no-such-redis-server.*No such file/s);
});

test('a start that is cancelled leaves nothing running', async () => {
  const cancel = new AbortController();
  const starting = start(['redis', 'registry'], { signal: cancel.signal });

  cancel.abort();

  await expect(starting).rejects.toMatchObject({ code: 'cancelled' });
  expect((await start(['redis', 'registry'])).owner).toBe(true);
});

test('children get none of our secrets', async () => {
  process.env.INGOT_SIGNING_KEY = 'secret';
  await start(['registry']);
  delete process.env.INGOT_SIGNING_KEY;

  const environment = await readFile(`/proc/${(await stateOf('registry')).pid}/environ`, 'utf8');

  expect(environment).toContain('PATH=');
  expect(environment).not.toContain('INGOT_');
});
