import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiClient, createApiClient } from '../../src/client/api-client.ts';
import { ClientRun, ClientRuns, exitCodeOfOutcomes } from '../../src/client/runs.ts';
import { waitForEnd } from '../../src/client/wait.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { type ApiScene, startApiScene } from '../support/api-scene.ts';
import { DIGEST, RUN, runOf } from '../support/fake-service.ts';

let scene: ApiScene;
let http: Http;
let client: ApiClient;

beforeEach(async () => {
  scene = await startApiScene();
  http = createHttp({ connectionsPerHost: 4, userAgent: 'ingot-test', timeoutMs: 5_000 });
  client = createApiClient({ http, server: scene.server, token: await scene.token('viewer') });
});
afterEach(async () => {
  await http.close();
  await scene.stop();
});

const ENDED = { ...runOf(RUN, 'base'), state: 'ended', outcome: 'released', digest: DIGEST } as const;

const wait = (asked: ApiClient, options: { timeoutMs?: number; sleep?: () => Promise<void> } = {}) => {
  const changes: string[] = [];
  const end = waitForEnd(asked, RUN, {
    ...{ signal: new AbortController().signal, timeoutMs: options.timeoutMs ?? 60_000, now: Date.now },
    sleep: options.sleep ?? (async () => undefined),
    onChange: ({ state }) => void changes.push(state),
  });
  return { end, changes };
};

describe('waiting for a run', () => {
  test('ends with it', async () => {
    scene.service.stored.set(RUN, ENDED);

    const { end, changes } = wait(client);

    expect(await end).toMatchObject({ outcome: 'released', digest: DIGEST });
    expect(changes).toEqual(['ended']);
  });

  test('ends when the time is over, with the run as it is', async () => {
    const run = await wait(client, { timeoutMs: 900 }).end;

    expect(run.state).toBe('running');
  });

  test('outlives a service that is away for a while', async () => {
    const away = createApiClient({ http, server: 'http://127.0.0.1:1', token: undefined });
    let asked = away;
    const sleep = async () => {
      scene.service.stored.set(RUN, ENDED);
      asked = client;
    };

    const { end } = wait({ ...client, get: (...call) => asked.get(...call) }, { sleep });

    expect(await end).toMatchObject({ outcome: 'released' });
  });

  test('of a run that is not there ends at once', async () => {
    scene.service.stored.clear();

    await expect(wait(client).end).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('the client', () => {
  test('sends its token nowhere where others can read it', () => {
    const create = () => createApiClient({ http, server: 'http://ingot.acme.example', token: 'x' });

    expect(create).toThrow('is no https address');
  });

  test('says what the service said, and where tokens come from', async () => {
    const nobody = createApiClient({ http, server: scene.server, token: undefined });

    await expect(nobody.get('/v1/runs', ClientRuns)).rejects.toThrow(/"ingot token create" makes one/);
    await expect(client.post('/v1/rebuilds', { images: ['base'] }, ClientRun)).rejects.toMatchObject({
      code: 'unauthorised',
      message: 'token viewer is viewer, and this is for operators',
    });
  });
});

test.each([
  [['released', 'unchanged'], 0],
  [['released', 'blocked'], 3],
  [['blocked', 'failed'], 1],
  [['failed', 'cancelled'], 130],
  [['superseded', undefined], 0],
] as const)('runs that ended as %j have the exit code %i', (outcomes, code) => {
  expect(exitCodeOfOutcomes(outcomes)).toBe(code);
});
