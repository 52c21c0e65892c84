import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type Embedded, startEmbedded } from '../../src/embedded/embedded.ts';
import { generateKeyPair } from '../../src/signer/key.ts';
import { type ChannelServer, startChannelServer } from '../support/channel-server.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';

const CLI = join(import.meta.dirname, '../../src/cli.ts');

let folder: string;
let root: string;
let redis: TestRedis;
let embedded: Embedded;
let channel: ChannelServer;
let service: ServiceProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-notify-'));
  root = join(folder, 'fleet');
  redis = await startRedis();
  channel = await startChannelServer();
  embedded = await startEmbedded({ dataDirectory: join(folder, 'shared'), needs: { registry: true } });
  await write({
    'ingot.yaml': stringify({
      fleet: 'acme',
      registry: `${embedded.registry}/acme`,
      platforms: ['linux/amd64'],
      signing: { key: { file: 'fleet.key' } },
      upstreams: { 'docker.io/library': `${embedded.registry}/upstream` },
      access: { url: 'https://ingot.acme.example' },
      notify: {
        settle: '0s',
        channels: { ops: { slack: { url: { env: 'SLACK_URL' } } }, gone: { teams: { url: { env: 'NO_URL' } } } },
        routes: [{ kinds: ['definitions-refused'], to: ['ops', 'gone'] }],
      },
    }),
    'fleet.key': generateKeyPair().privateKey,
    'images/base/image.yaml': 'line: "12"\n',
    'images/base/Dockerfile': 'FROM debian:12-slim\n',
  });
  process.env.SLACK_URL = channel.url;
  const args = ['serve', '--no-workers', '--listen', '127.0.0.1:0'];
  service = await startService(args, { root, data: join(folder, 'data'), redis: redis.url, ready: /serving acme/ });
});
afterAll(async () => {
  delete process.env.SLACK_URL;
  await service?.stop();
  await embedded?.close();
  await Promise.all([redis?.remove(), channel?.stop()]);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test('definitions that are refused are told once, and that they are mended; a channel without a secret is seen', async () => {
  await write({ 'images/base/image.yaml': 'line: "12"\nlinee: 1\n' });
  service.kill('SIGHUP');
  await until(() => channel.taken.length > 0);
  await write({ 'images/base/image.yaml': 'line: "12"\n' });
  service.kill('SIGHUP');
  await until(() => channel.taken.length > 1);
  const channels = JSON.parse((await ingot('notify', 'list', '--json')).stdout);

  const [refused, mended] = channel.taken.map(({ body }) => JSON.parse(body));
  expect(refused.text).toBe('acme: the newest definitions are not used');
  expect(refused.blocks[1].text.text).toContain('images/base/image.yaml:2:1: unknown key "linee"');
  expect(mended.text).toBe('acme: over: the newest definitions are not used');
  expect(channels).toMatchObject([
    { name: 'ops', kind: 'slack', sent: 2, waiting: 0 },
    { name: 'gone', kind: 'teams', sent: 0, error: expect.stringContaining('NO_URL is empty') },
  ]);
  expect(service.output()).toMatch(/did not reach gone: .*NO_URL is empty/);
  expect(service.output()).not.toContain('s3cret');
});

test('a channel is tried by hand, and what it answered is said', async () => {
  channel.answers.push({ status: 200, body: 'ok' }, { status: 403, body: 'invalid_token' });

  const taken = await ingot('notify', 'test', 'ops');
  const refused = await ingot('notify', 'test', 'ops').catch((error) => error);
  const unknown = await ingot('notify', 'test', 'opps').catch((error) => error);

  expect(taken.stdout).toBe('ops took it: 200: ok\n');
  expect(refused).toMatchObject({ code: 1, stdout: 'ops did not take it: it answered 403: invalid_token\n' });
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean "ops"?') });
});

function ingot(...args: string[]) {
  const env = { ...process.env, INGOT_DATA: join(folder, 'data'), REDIS_URL: redis.url };
  return promisify(execFile)(process.execPath, [CLI, '-C', root, ...args], { env });
}

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never:\n${service.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
