import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';

const CLI = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');
const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

let scene: FleetScene;
let redis: TestRedis;
let folder: string;
let factory: TestFactory;
let service: ServiceProcess;
let server: string;
let token: string;

beforeAll(async () => {
  scene = await startFleetScene();
  redis = await startRedis();
  folder = await mkdtemp(join(tmpdir(), 'ingot-api-'));
  factory = await scene.factory('api');
  await factory.publish('first');
  service = await startService(['serve', '--listen', '127.0.0.1:0'], {
    root: factory.root,
    data: join(folder, 'data'),
    redis: redis.url,
    ready: /serving acme/,
  });
  server = /listening on (\S+)/.exec(service.output())![1]!;
  token = (await ingot(['token', 'create', 'ci', '--role', 'operator'])).trim();
});
afterAll(async () => {
  await service?.stop();
  await redis?.remove();
  await scene?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a served fleet', () => {
  test('is asked over HTTP, and rebuilds on demand', async () => {
    await until(async () => (await get('/v1/images/child')).release !== undefined);
    const { items } = await get('/v1/images');

    const started = await post('/v1/rebuilds', { images: ['child'], reason: 'to see it' });

    expect(items.map(({ name }: { name: string }) => name)).toEqual(['base', 'child']);
    expect(started.status).toBe(202);
    const [run] = started.body.runs;
    expect(run).toMatchObject({ id: expect.stringMatching(ULID), image: 'child', state: 'waiting' });
    const ended = await untilEnded(run.id);
    expect(ended).toMatchObject({ state: 'ended', outcome: 'unchanged', request: { by: 'token ci' } });
  });

  test('is asked by the command line: --wait prints the digest of what is in use', async () => {
    const { release } = await get('/v1/images/child');

    const first = await ingot(['rebuild', 'child', '--wait', '--server', server, '--reason', 'by hand']);
    const list = await ingot(['runs', 'list', '--image', 'child', '--server', server]);
    const unknown = await ingot(['rebuild', 'chld', '--server', server]).catch((error) => error);
    const stranger = await ingot(['runs', 'list', '--server', server], { INGOT_TOKEN: 'nobody' }).catch(
      (error) => error,
    );

    expect(first).toBe(`${release.digest}\n`);
    expect(list).toContain('unchanged');
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean "child"') });
    expect(stranger).toMatchObject({ code: 4 });
  });

  test('keeps who changed what, from where, in its audit log', async () => {
    const lines = (await readFile(join(folder, 'data', 'audit.jsonl'), 'utf8')).trim().split('\n');

    const entries = lines.map((line) => JSON.parse(line));
    expect(entries).toContainEqual(
      expect.objectContaining({
        who: 'token ci',
        what: 'rebuild.start',
        on: ['child'],
        outcome: 'done',
        from: '127.0.0.1',
      }),
    );
    expect(service.output()).toContain('audit {');
    expect(lines.join('\n') + service.output()).not.toContain(token);
  });

  test('goes by what definitions say of access as soon as they are read again, and by the same tokens', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const limit = async () => (await fetch(`${server}/v1/session`, { headers })).headers.get('ratelimit-limit');
    const before = await limit();
    await appendFile(join(factory.root, 'ingot.yaml'), '\naccess: { requestsPerMinute: 4321 }\n');

    const reloaded = await post('/v1/fleet/reload', {});

    expect(reloaded.status).toBeLessThan(300);
    expect([before, await limit()]).toEqual(['600', '4321']);
  });
});

async function ingot(args: readonly string[], more: Record<string, string> = {}): Promise<string> {
  const env = { ...process.env, INGOT_DATA: join(folder, 'data'), REDIS_URL: redis.url, INGOT_TOKEN: token, ...more };
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, '-C', factory.root, ...args], { env });
  return stdout;
}

async function get(path: string) {
  const answer = await fetch(server + path, { headers: { authorization: `Bearer ${token}` } });
  return JSON.parse(await answer.text());
}

async function post(path: string, body: unknown) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(server + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

async function untilEnded(id: string) {
  for (;;) {
    const run = await get(`/v1/runs/${id}?wait=60`);
    if (run.state === 'ended' || run.status !== undefined) return run;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`never:\n${service.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
