import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { SECRET_FORMS } from '../support/secrets.ts';
import { type ServiceScene, startServiceScene } from '../support/service-scene.ts';

const CLI = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');

/** In the environment, by names that ingot.yaml or other programs give them. */
const ENVIRONMENT = {
  COSIGN_PASSWORD: 'the cosign passphrase 1',
  HOOK_HARBOR: 'webhook-secret-of-harbor',
  SLACK_OPS: 'https://chat.acme.example/incoming/slack-address-is-secret',
  SMTP_PASSWORD: 'mail password with "quotes"',
  PAGER_SECRET: 'whsec_c2VjcmV0LW9mLXBhZ2Vy',
  GITEA_TOKEN: '0123456789abcdef0123456789abcdef01234567',
} as const;
const PASSWORD = 'registry-pass!word';
const FILE_SECRET = 'webhook-secret-in-a-file';

let scene: FleetScene;
let receiver: OtlpReceiver;
const services: ServiceScene[] = [];
const folders: string[] = [];

beforeAll(async () => {
  scene = await startFleetScene();
  receiver = await startOtlpReceiver();
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await receiver?.close();
  await scene?.stop();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A gate that says all that it can find: what a test of somebody prints ends in the run, its events and the log. */
function talkative(files: readonly string[]) {
  const script = `for file in ${files.join(' ')}; do cat "$file"; echo; done | tr '\\n' ' '; exit 1`;
  return {
    gates: [{ name: 'talkative', when: 'before', command: ['sh', '-c', script] }],
    hooks: { harbor: { secret: { env: 'HOOK_HARBOR' } }, quay: { secret: { file: 'quay.secret' } } },
    notify: { channels: { ops: { slack: { url: { env: 'SLACK_OPS' } } } } },
  };
}

async function talkAbout(name: string, texts: readonly string[], format: 'text' | 'json'): Promise<string> {
  const docker = await mkdtemp(join(tmpdir(), 'ingot-docker-'));
  folders.push(docker);
  const auth = Buffer.from(`robot:${PASSWORD}`).toString('base64');
  await writeFile(join(docker, 'config.json'), JSON.stringify({ auths: { [scene.host]: { auth } } }));
  const env = {
    ...{ ...ENVIRONMENT, DOCKER_CONFIG: docker, INGOT_LOG_FORMAT: format, INGOT_METRICS_LISTEN: 'off' },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
  };
  const service = await startServiceScene(scene, { env });
  services.push(service);
  const said = join(service.folder, 'said.txt');
  await writeFile(said, `${texts.join('\n')}\nBasic ${auth} ${auth}\nend of it`);
  const factory = await scene.factory(name, { only: 'base', settings: talkative([said]) });
  await factory.write({ 'quay.secret': FILE_SECRET });
  await factory.publish('first');
  await service.serve(factory, ['--listen', '127.0.0.1:0']);
  const worker = await service.worker(factory, 'all', []);
  await service.until(async () => /ended as blocked/.test(worker.output()), 'the gate has refused');
  return service.processes.map((each) => each.output()).join('\n');
}

test('no secret that a test prints gets into the log, nor into traces', async () => {
  const { HOOK_HARBOR, COSIGN_PASSWORD, SLACK_OPS, SMTP_PASSWORD, PAGER_SECRET, GITEA_TOKEN } = ENVIRONMENT;
  const known = [PASSWORD, COSIGN_PASSWORD, HOOK_HARBOR, SMTP_PASSWORD, PAGER_SECRET, GITEA_TOKEN];
  const log = await talkAbout('known', [...known, SLACK_OPS], 'json');

  expect(log).toContain('end of it');
  const seen = (text: string | Buffer) => [...known, 'slack-address-is-secret'].filter((each) => text.includes(each));
  expect(seen(log)).toEqual([]);
  const isSent = () => receiver.raw.some(({ body }) => body.includes('end of it'));
  await expect.poll(isSent, { timeout: 30_000 }).toBe(true);
  expect(receiver.raw.flatMap(({ body }) => seen(body))).toEqual([]);
});

test('nor does anything that only looks like one', async () => {
  const short = SECRET_FORMS.filter(({ text }) => text.length < 120);
  const half = Math.ceil(short.length / 2);
  for (const [index, forms] of [short.slice(0, half), short.slice(half)].entries()) {
    const log = await talkAbout(
      `forms-${index}`,
      forms.map(({ text }) => text),
      'text',
    );

    const shown = forms.flatMap(({ secrets }) => secrets.filter((secret) => log.includes(secret)));
    expect(log).toContain('end of it');
    expect(shown).toEqual([]);
  }
});

test.each([
  ['a repository that cannot be reached', ['serve', '--fleet', 'git+http://me:git-pass-word@127.0.0.1:1/golden.git']],
  ['a service that is not there', ['rebuild', 'base', '--server', 'http://me:server-pass@127.0.0.1:1']],
])('a command that fails for %s prints none', async (_, args) => {
  const factory: TestFactory = await scene.factory(`fails-${args[0]}`, { only: 'base' });
  const env = { ...process.env, INGOT_TOKEN: `ingot_0123456789ab_${'7'.repeat(64)}`, INGOT_METRICS_LISTEN: 'off' };

  const failure = await promisify(execFile)(process.execPath, [CLI, ...args, '-C', factory.root], { env }).then(
    () => undefined,
    (error: { stdout: string; stderr: string }) => error,
  );

  const text = `${failure?.stdout}${failure?.stderr}`;
  expect(text.trim()).not.toBe('');
  expect(text).not.toMatch(/git-pass-word|server-pass|7777/);
});
