import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createOperations,
  DEFAULT_METRICS_LISTEN,
  type RunningOperations,
  startOperations,
} from '../../src/api/operations.ts';

const running: RunningOperations[] = [];
const servers: Server[] = [];
const metrics = async () => '# TYPE ingot_build_info gauge\ningot_build_info 1\n';

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.close()));
  for (const server of servers.splice(0)) server.close();
});

async function start(listen?: string): Promise<RunningOperations> {
  const operations = await startOperations({ metrics, listen });
  running.push(operations);
  return operations;
}

/** @returns the port; that of `listen` may be taken by somebody else already, which is as good */
async function take(listen: string): Promise<number> {
  const [host, port] = listen.split(':');
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.listen(Number(port), host, resolve);
  });
  return (server.address() as { port: number } | null)?.port ?? Number(port);
}

describe('what machines ask of a process', () => {
  test('is answered without a credential', async () => {
    const { address } = await start('127.0.0.1:0');

    const answer = await fetch(`${address}/metrics`);

    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toBe(await metrics());
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    expect((await fetch(`${address}/v1/images`)).status).toBe(404);
  });

  test('says which part is not there', async () => {
    const check = () => Promise.reject(new Error('redis://:secret@host is gone'));

    const answer = await createOperations({ metrics, readiness: [{ name: 'redis', check }] }).request('/readyz');

    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ status: 'unavailable', checks: { redis: 'unavailable' } });
  });

  test('has another port when that of the default is taken', async () => {
    await take(DEFAULT_METRICS_LISTEN);

    const { address } = await start();

    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(address).not.toContain(DEFAULT_METRICS_LISTEN);
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
  });

  test('has the port that was asked for, or none', async () => {
    const port = await take('127.0.0.1:0');

    await expect(start(`127.0.0.1:${port}`)).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: it is taken; choose another with --metrics-listen or INGOT_METRICS_LISTEN, or turn it off with "off"`,
    );
  });

  test('can be turned off', async () => {
    expect((await start('off')).address).toBeUndefined();
  });
});
