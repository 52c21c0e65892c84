import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiScene, startApiScene } from '../support/api-scene.ts';
import { RUN, runOf } from '../support/fake-service.ts';

let scene: ApiScene;
let token: string;

beforeEach(async () => {
  scene = await startApiScene();
  token = await scene.token('viewer');
});
afterEach(() => scene.stop());

const AT = '2026-11-23T02:00:00.000Z';
const step = (id: string, run = RUN, image = 'base') =>
  ({ id, at: AT, type: 'run.step', run, image, step: 'scan', state: 'done' }) as const;

describe('a stream of the fleet', () => {
  test('tells what happens from now on', async () => {
    const stream = await follow('/v1/events');
    await stream.until(':');

    scene.service.tell(step('1-0'));

    const text = await stream.until('"1-0"');
    expect(text).toContain('event: run.step');
    expect(text).toContain('id: 1-0');
    await stream.close();
  });

  test('goes on behind the last event that was seen', async () => {
    for (const id of ['1-0', '2-0', '3-0']) scene.service.tell(step(id));

    const stream = await follow('/v1/events', { 'last-event-id': '1-0' });

    const text = await stream.until('"3-0"');
    expect(text).toContain('id: 2-0');
    expect(text).not.toContain('id: 1-0');
    await stream.close();
  });

  test('leaves out images that the credential does not cover', async () => {
    token = await scene.token('viewer', ['child']);
    scene.service.tell(step('0-1'));
    const stream = await follow('/v1/events', { 'last-event-id': '0-1' });

    scene.service.tell(step('1-0'));
    scene.service.tell(step('2-0', 'x', 'child'));

    expect(await stream.until('"2-0"')).not.toContain('"1-0"');
    await stream.close();
  });

  test('is followed by nobody when the client has gone', async () => {
    const stream = await follow('/v1/events');
    await stream.until(':');
    await until(() => scene.service.followers() === 1);

    await stream.close();

    await until(() => scene.service.followers() === 0);
  });

  test('ends when the server stops', async () => {
    const stream = await follow('/v1/events');
    await stream.until(':');

    await scene.stop();

    await stream.ended;
    scene = await startApiScene();
  });
});

describe('a stream of a run', () => {
  test('begins with the run, and ends with it', async () => {
    const stream = await follow(`/v1/runs/${RUN}/events`);
    await stream.until('"running"');
    await until(() => scene.service.followers() === 1);

    scene.service.tell(step('1-0'));
    scene.service.tell(step('2-0', 'another'));
    scene.service.stored.set(RUN, { ...runOf(RUN, 'base'), state: 'ended', outcome: 'released' });
    scene.service.tell({
      id: '3-0',
      at: AT,
      type: 'run.ended',
      run: RUN,
      image: 'base',
      outcome: 'released',
      summary: '',
    });

    const text = await stream.ended;
    expect([...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type)).toEqual([
      'run',
      'run.step',
      'run.ended',
      'run',
    ]);
    expect(text).toContain('id: end');
  });

  test('that has ended is told at once, and no more to who has heard it', async () => {
    scene.service.stored.set(RUN, { ...runOf(RUN, 'base'), state: 'ended', outcome: 'released' });

    const text = await (await follow(`/v1/runs/${RUN}/events`)).ended;
    const again = await scene.ask(`/v1/runs/${RUN}/events`, { token, headers: { 'last-event-id': 'end' } });

    expect(text).toContain('"outcome":"released"');
    expect(again.status).toBe(204);
  });

  test('of nobody is a problem, not a stream', async () => {
    const answer = await scene.ask('/v1/runs/01KB0000000000000000009999/events', { token });

    expect(answer.status).toBe(404);
    expect(answer.body.type).toBe('urn:ingot:problem:not-found');
  });
});

test('one credential has so many streams, and no more', async () => {
  const streams = await Promise.all(Array.from({ length: 50 }, () => follow('/v1/events')));

  const answer = await scene.ask('/v1/events', { token });

  expect(answer.status).toBe(429);
  await Promise.all(streams.map((stream) => stream.close()));
});

async function follow(path: string, headers: Record<string, string> = {}) {
  const gone = new AbortController();
  const authorization = `Bearer ${token}`;
  const answer = await fetch(scene.server + path, { headers: { authorization, ...headers }, signal: gone.signal });
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  let heard = Promise.withResolvers<void>();
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body!) {
      text += decoder.decode(chunk, { stream: true });
      heard.resolve();
      heard = Promise.withResolvers();
    }
    return text;
  };
  const ended = read();
  ended.catch(() => undefined);
  return {
    ended,
    async until(words: string) {
      while (!text.includes(words)) await Promise.race([heard.promise, ended]);
      return text;
    },
    async close() {
      gone.abort();
      await ended.catch(() => undefined);
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
