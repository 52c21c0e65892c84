import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FactoryError } from '../../src/domain/errors.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import type { HookOutcome } from '../../src/domain/hooks.ts';
import { createRedisHooks } from '../../src/ledger/redis-hooks.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { createHookReceiver, WINDOW_MS } from '../../src/service/hook-receiver.ts';
import { type ApiScene, startApiScene } from '../support/api-scene.ts';
import { fleetFiles } from '../support/fleet-files.ts';
import { HOOK_FIXTURES, sent } from '../support/hook-fixtures.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const SECRET = 'a secret that only the two of us know';
const UPSTREAM = 'docker.io/acmehub/tool:1';

let redis: TestRedis;
let scene: ApiScene;
let checks: string[];
let reloads: number;
let later: { ms: number; work: () => Promise<void> }[];
let hooks: ReturnType<typeof createRedisHooks>;

beforeEach(async () => {
  redis = await startRedis();
  [checks, later, reloads] = [[], [], 0];
  hooks = createRedisHooks({ connection: redisOptions({ url: redis.url }), prefix: 'test' });
  const fleet = parseFleet(
    fleetFiles({
      'ingot.yaml':
        'fleet: acme\nhooks:\n' +
        ['docker-hub', 'github', 'quay', 'acr', 'cloudevents']
          .map((name) => `  ${name}: { secret: { env: HOOK } }\n`)
          .join('') +
        '  gitea: { secret: { env: EMPTY } }\n',
      'images/base/image.yaml': 'line: "1"\n',
      'images/base/Dockerfile': `FROM ${UPSTREAM}\nFROM quay.io/acmequay/tool:1\n`,
    }),
  );
  const definitions = { source: 'git+https://git.acme.example/platform/golden.git#main' };
  const receiver = createHookReceiver({
    hooks,
    store: {
      changed: async (names: readonly string[]) => void checks.push(...names.map(decodeURIComponent)),
      definitions: async () => definitions,
    } as never,
    runs: { look: async () => {} },
    withFleet: async (use) => use(fleet),
    async reload() {
      reloads += 1;
    },
    now: () => new Date(),
    after: (ms, work) => void later.push({ ms, work }),
    onTrouble: () => {},
  });
  const secretOf = async ({ secret }: { secret: object }) => {
    if ('env' in secret && secret.env === 'HOOK') return SECRET;
    throw new FactoryError('its secret is not there: the variable EMPTY is empty', { code: 'forbidden' });
  };
  scene = await startApiScene({ hooks: { ...receiver, secretOf } });
});
afterEach(async () => {
  await scene.stop();
  await hooks.close();
  await redis.remove();
});

describe('a hook over HTTP', () => {
  test('makes its upstream be looked at, and again only when it says something else', async () => {
    const first = await post('docker-hub');
    const replayed = await post('docker-hub');
    const next = await post('docker-hub', (text) => text.replace('1795392000', '1795392001'));
    const another = await post('docker-hub', (text) => text.replace('1795392000', '1795392002'));

    expect(first).toMatchObject({ status: 202, body: { accepted: [UPSTREAM], coalesced: [], unknown: [] } });
    for (const answer of [replayed, next, another]) {
      expect(answer).toMatchObject({ status: 202, body: { accepted: [], coalesced: [UPSTREAM] } });
    }
    expect(checks).toEqual([`upstream:${UPSTREAM}`]);
    expect(later.map(({ ms }) => ms)).toEqual([WINDOW_MS]);
    await later[0]!.work();
    expect(checks).toEqual([`upstream:${UPSTREAM}`, `upstream:${UPSTREAM}`]);
  });

  test('of a repository that no image uses is counted, and asks nobody', async () => {
    const unknown = await post('docker-hub', (text) => text.replaceAll('acmehub/tool', 'acmehub/other'));
    const otherTag = await post('docker-hub', (text) => text.replace('"tag":"1"', '"tag":"nightly"'));

    expect(unknown).toMatchObject({ status: 202, body: { accepted: [], unknown: ['docker.io/acmehub/other'] } });
    expect(otherTag.body).toMatchObject({ unknown: ['docker.io/acmehub/tool'] });
    expect(checks).toEqual([]);
    expect((await hooks.counts()).get('docker-hub')).toMatchObject({
      counts: { unknown: 2 },
      unknown: [
        { name: 'docker.io/acmehub/tool', count: 1 },
        { name: 'docker.io/acmehub/other', count: 1 },
      ],
    });
  });

  test('without its secret is refused, and who guesses is slowed down', async () => {
    const fixture = HOOK_FIXTURES.find(({ name }) => name === 'docker-hub')!;
    const { path, headers, text } = sent(fixture, 'a guess');

    const guesses = await Promise.all(Array.from({ length: 70 }, () => scene.ask(path, { body: text, headers })));

    expect(guesses[0]).toMatchObject({ status: 401, body: { detail: expect.stringContaining('secret') } });
    expect(guesses.at(-1)).toMatchObject({ status: 429 });
    expect(JSON.stringify(guesses)).not.toContain('a guess');
    expect(checks).toEqual([]);
    expect(await countOf('docker-hub', 'refused')).toBe(70);
    expect((await post('docker-hub')).status).toBe(202);
  });

  test('that is not set up, has no secret, or is of nobody, is told so', async () => {
    const notSetUp = await post('harbor');
    const locked = await post('gitea-push');
    const nobody = await scene.ask('/hooks/subversion', { body: {} });
    const read = await scene.ask('/hooks/quay');

    expect(notSetUp).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('"hooks: { harbor: … }"') },
    });
    expect(locked).toMatchObject({ status: 403, body: { detail: expect.stringContaining('EMPTY is empty') } });
    expect(nobody).toMatchObject({ status: 404, body: { detail: expect.stringContaining('docker-hub') } });
    expect(read.status).toBe(405);
  });

  test('that is not in the form of its sender is refused, and one that is too long', async () => {
    const strange = await post('docker-hub', () => '{"repository":"x"}');
    const long = await post('docker-hub', () => JSON.stringify({ text: 'x'.repeat(3 * 1024 * 1024) }));

    expect(strange).toMatchObject({ status: 400, body: { detail: expect.stringContaining('push_data') } });
    expect(long.status).toBe(413);
    expect(await countOf('docker-hub', 'invalid')).toBe(1);
  });

  test('of the definitions makes them be read again, once', async () => {
    const answers = [await post('github-push'), await post('github-push')];
    const other = await post('github-push', (text) => text.replaceAll('platform/golden', 'platform/other'));
    const branch = await post('github-push', (text) => text.replace('heads/main', 'heads/topic'));

    expect(answers.map(({ status, body }) => [status, body.accepted.length])).toEqual([
      [202, 1],
      [202, 0],
    ]);
    expect([other.body.unknown.length, branch.body.unknown.length]).toEqual([1, 1]);
    expect(reloads).toBe(1);
  });

  test('that asks first whether it may send is told so', async () => {
    const asked = { method: 'OPTIONS', headers: { 'webhook-request-origin': 'eventgrid.azure.net' } };

    const allowed = await scene.ask('/hooks/acr', asked);
    const never = await scene.ask('/hooks/docker-hub', asked);
    const body = [{ eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data: { validationCode: 'C' } }];
    const validated = await scene.ask(`/hooks/acr?token=${encodeURIComponent(SECRET)}`, { body });

    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('webhook-allowed-origin')).toBe('eventgrid.azure.net');
    expect(never.headers.get('webhook-allowed-origin')).toBeNull();
    expect(validated).toMatchObject({ status: 200, body: { validationResponse: 'C' } });
  });
});

test.each([
  ['docker-hub', 0],
  ['quay', 1],
])('a thousand hooks of %s within ten seconds are one check, and %s more at their end', async (name, more) => {
  const began = Date.now();
  const answers: { status: number }[] = [];
  for (let turn = 0; turn < 20; turn++) {
    answers.push(...(await Promise.all(Array.from({ length: 50 }, () => post(name)))));
  }

  expect(Date.now() - began).toBeLessThan(WINDOW_MS);
  expect(answers.every(({ status }) => status === 202)).toBe(true);
  expect(checks).toHaveLength(1);
  expect(later).toHaveLength(more);
  const fixture = HOOK_FIXTURES.find((each) => each.name === name)!;
  expect([await countOf(fixture.dialect, 'accepted'), await countOf(fixture.dialect, 'coalesced')]).toEqual([1, 999]);
});

test('a window ends, and the next hook is followed again', async () => {
  await hooks.open('thing', 'a', 500);
  const during = await hooks.open('thing', 'b', 500);
  const first = await hooks.again('thing', 500);
  const second = await hooks.again('thing', 500);
  while ((await hooks.open('thing', 'c', 500)) !== undefined) await wait(20);

  expect([during, first, second]).toEqual(['a', true, false]);
});

async function post(name: string, edit?: (text: string) => string) {
  const fixture = HOOK_FIXTURES.find((each) => each.name === name)!;
  const { path, headers, text } = sent(fixture, SECRET, edit);
  return scene.ask(path, { body: text, headers });
}

async function countOf(dialect: (typeof HOOK_FIXTURES)[number]['dialect'], outcome: HookOutcome) {
  return (await hooks.counts()).get(dialect)?.counts[outcome];
}
