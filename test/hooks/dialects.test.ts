import { describe, expect, test } from 'vitest';
import { HOOK_DIALECTS } from '../../src/domain/hooks.ts';
import { DIALECTS } from '../../src/hooks/dialects.ts';
import type { HookRequest } from '../../src/hooks/hooks.ts';
import { isSame } from '../../src/hooks/secrets.ts';
import { HOOK_FIXTURES, type HookFixture, sent } from '../support/hook-fixtures.ts';

const SECRET = 'a secret that only the two of us know';

describe.each(HOOK_FIXTURES.map((fixture) => [fixture.name, fixture] as const))('a hook of %s', (_, fixture) => {
  test('says what was pushed', () => {
    const reading = DIALECTS[fixture.dialect].read(requestOf(fixture));

    const { image, source } = fixture;
    const images = image === undefined ? [] : [{ repository: image.repository, tags: [image.tag], ...markOf(image) }];
    expect(reading).toMatchObject({ kind: 'hints', images });
    if (source !== undefined) expect(reading).toMatchObject({ sources: [source] });
  });

  test('holds with its secret alone, and as it was sent', () => {
    const { holds } = DIALECTS[fixture.dialect];
    const request = requestOf(fixture);
    const bare = { ...request, headers: fixture.headers, token: undefined };
    const changed = { ...request, body: Buffer.from(`${Buffer.from(request.body)} `) };

    expect(holds(request, SECRET)).toBe(true);
    expect(holds(request, `${SECRET}.`)).toBe(false);
    expect(holds(bare, SECRET)).toBe(false);
    expect(holds(changed, SECRET)).toBe(!fixture.sign.includes('signature'));
  });

  test('is refused with a reason when its body is something else', () => {
    const { read } = DIALECTS[fixture.dialect];
    const request = requestOf(fixture);

    const bodies = ['', '{', '[]', '{}', 'null', '"text"', '[[]]', JSON.stringify({ events: 'none', push_data: [] })];
    const readings = bodies.map((body) => read({ ...request, body: Buffer.from(body) }));

    for (const reading of readings) {
      if (reading.kind === 'hints') expect([...reading.images, ...reading.sources]).toEqual([]);
      else expect(reading).toMatchObject({ kind: 'invalid', why: expect.stringMatching(/\w{3}/) });
    }
    expect(readings[1]).toMatchObject({ kind: 'invalid' });
  });
});

test('every dialect has a fixture', () => {
  expect([...new Set(HOOK_FIXTURES.map(({ dialect }) => dialect))].sort()).toEqual([...HOOK_DIALECTS]);
  for (const { documented } of HOOK_FIXTURES) expect(documented).toMatch(/^https:\/\//);
});

test('secrets of different lengths are compared like those of one', () => {
  expect([isSame('a', 'a'), isSame('a', 'ab'), isSame('', ''), isSame('', 'a')]).toEqual([true, false, true, false]);
});

test('events that push nothing say nothing', () => {
  const quiet: [HookFixture['name'], (text: string) => string, Record<string, string>?][] = [
    ['github-push', (text) => text, { 'x-github-event': 'ping' }],
    ['github-push', (text) => text.replace('refs/heads/main', 'refs/tags/v1')],
    ['github-push', (text) => text.replaceAll('9f'.repeat(20), '0'.repeat(40))],
    ['github-package', (text) => text.replaceAll('CONTAINER', 'npm')],
    ['gitlab-push', (text) => text, { 'x-gitlab-event': 'Tag Push Hook' }],
    ['gitea-push', (text) => text, { 'x-gitea-event': 'issues' }],
    ['harbor', (text) => text.replace('PUSH_ARTIFACT', 'PULL_ARTIFACT')],
    ['harbor-cloudevents', (text) => text.replace('artifact.pushed', 'artifact.deleted')],
    ['acr', (text) => text.replace('"push"', '"delete"')],
    ['acr-event-grid', (text) => text.replace('ImagePushed', 'ImageDeleted')],
    ['distribution', (text) => text.replaceAll('"push"', '"pull"')],
    ['zot', (text) => text, { 'ce-type': 'zotregistry.image.deleted' }],
  ];

  const readings = quiet.map(([name, edit, headers]) => {
    const fixture = HOOK_FIXTURES.find((each) => each.name === name)!;
    const request = requestOf(fixture, edit);
    return DIALECTS[fixture.dialect].read({ ...request, headers: { ...request.headers, ...headers } });
  });

  expect(readings).toEqual(quiet.map(() => ({ kind: 'hints', images: [], sources: [] })));
});

test('a host in ingot.yaml stands over what the sender says', () => {
  const names = ['distribution', 'harbor', 'zot', 'quay', 'acr', 'github-package'];

  const hosts = names.map((name) => {
    const fixture = HOOK_FIXTURES.find((each) => each.name === name)!;
    const reading = DIALECTS[fixture.dialect].read({ ...requestOf(fixture), registry: 'cache.acme.example:5000' });
    return reading.kind === 'hints' && reading.images[0]!.repository.split('/')[0];
  });

  expect(hosts).toEqual(names.map(() => 'cache.acme.example:5000'));
});

test('Event Grid is told that it may send', () => {
  const body = [
    {
      id: '2d1781af-3a4c-4d7c-bd0c-e34b19da4e66',
      topic: '/subscriptions/0000',
      subject: '',
      data: { validationCode: '512d38b6-c7b8-40c8-89fe-f46f9e9622b6', validationUrl: 'https://rp.example/validate' },
      eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
      eventTime: '2026-11-23T02:00:00Z',
      metadataVersion: '1',
      dataVersion: '1',
    },
  ];

  const reading = DIALECTS.acr.read({ headers: {}, body: Buffer.from(JSON.stringify(body)) });

  expect(reading).toEqual({
    kind: 'handshake',
    answer: { validationResponse: '512d38b6-c7b8-40c8-89fe-f46f9e9622b6' },
  });
});

function requestOf(fixture: HookFixture, edit?: (text: string) => string): HookRequest {
  const { headers, token, text } = sent(fixture, SECRET, edit);
  return { headers, token, body: Buffer.from(text) };
}

function markOf({ mark }: { readonly mark?: string }) {
  return mark === undefined ? {} : { mark };
}
