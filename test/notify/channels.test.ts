import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Message } from '../../src/domain/notifications.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createEmail } from '../../src/notify/email.ts';
import type { NotifyError } from '../../src/notify/notify.ts';
import { createSlack } from '../../src/notify/slack.ts';
import { createTeams } from '../../src/notify/teams.ts';
import { createWebhook } from '../../src/notify/webhook.ts';
import { type ChannelServer, startChannelServer } from '../support/channel-server.ts';

const NOW = Date.parse('2026-11-23T02:00:00Z');
const MESSAGE: Message = {
  ...{ id: 'ingot-0123456789abcdef', channel: 'ops', state: 'problem', kind: 'blocked', severity: 'warning' },
  ...{ title: '31 images are blocked', more: 1, fleet: 'acme', at: '2026-11-23T02:00:00.000Z' },
  lines: [
    { image: 'base', reason: 'CVE-2026-1 in <openssl> & co', link: 'https://ingot.acme.example/runs/1' },
    { reason: 'something *else*' },
  ],
};
const signal = new AbortController().signal;

let server: ChannelServer;
let http: Http;

beforeEach(async () => {
  server = await startChannelServer();
  http = createHttp({ connectionsPerHost: 2, userAgent: 'ingot-test', timeoutMs: 2_000 });
});
afterEach(async () => {
  await http.close();
  await server.stop();
});

const deps = () => ({ http, now: () => NOW });
const CHANNELS = [
  ['slack', () => createSlack(server.url, deps())],
  ['teams', () => createTeams(server.url, deps())],
  ['webhook', () => createWebhook({ url: server.url, secret: 'whsec_c2VjcmV0' }, deps())],
] as const;

describe.each(CHANNELS)('%s', (_, create) => {
  test('says what the other side answered', async () => {
    server.answers.push({ status: 202, body: 'accepted' });

    expect(await create().send(MESSAGE, { signal })).toBe('202: accepted');
    expect(server.taken).toHaveLength(1);
  });

  test.each([
    [404, {}, 'refused', false, undefined],
    [429, { 'retry-after': '30' }, 'rate-limited', true, 30_000],
    [429, { 'retry-after': 'Mon, 23 Nov 2026 02:01:00 GMT' }, 'rate-limited', true, 60_000],
    [503, { 'retry-after': '5' }, 'unavailable', true, 5_000],
    [500, {}, 'unavailable', true, undefined],
  ] as const)(
    'takes an answer of %s as one to try again or not',
    async (status, headers, code, retryable, retryAfterMs) => {
      server.answers.push({ status, headers, body: 'no' });

      const error: NotifyError = await create()
        .send(MESSAGE, { signal })
        .catch((cause) => cause);

      expect(error).toMatchObject({ code, retryable, message: expect.stringContaining(String(status)) });
      expect(error.details.retryAfterMs).toBe(retryAfterMs);
      expect(error.message).not.toContain('s3cret');
    },
  );

  test('that is not there is tried again later, and its address is not told', async () => {
    await server.stop();

    const error: NotifyError = await create()
      .send(MESSAGE, { signal })
      .catch((cause) => cause);

    expect(error).toMatchObject({ code: 'unavailable', retryable: true });
    expect(error.message).not.toContain('s3cret');
    server = await startChannelServer();
  });
});

test('Slack gets blocks, with what means something to it escaped', async () => {
  await createSlack(server.url, deps()).send(MESSAGE, { signal });

  const { blocks, text } = JSON.parse(server.taken[0]!.body);
  expect(text).toBe('acme: 31 images are blocked');
  expect(blocks[1].text.text).toBe(
    '• *base*: CVE-2026-1 in &lt;openssl&gt; &amp; co <https://ingot.acme.example/runs/1|more>\n• something *else*\nand 1 more',
  );
  expect(blocks.map(({ type }: { type: string }) => type)).toEqual(['section', 'section', 'context']);
});

test('Teams gets an Adaptive Card in a message', async () => {
  await createTeams(server.url, deps()).send(MESSAGE, { signal });

  const { type, attachments } = JSON.parse(server.taken[0]!.body);
  const [{ contentType, content }] = attachments;
  expect([type, contentType, content.type]).toEqual([
    'message',
    'application/vnd.microsoft.card.adaptive',
    'AdaptiveCard',
  ]);
  expect(content.body[0]).toMatchObject({ text: '31 images are blocked', color: 'warning' });
  expect(content.body[2].text).toBe(String.raw`something \*else\*`);
  expect(content.actions).toEqual([
    { type: 'Action.OpenUrl', title: 'More', url: 'https://ingot.acme.example/runs/1' },
  ]);
});

test('a webhook gets a CloudEvent with the signature of Standard Webhooks', async () => {
  await createWebhook({ url: server.url, secret: 'whsec_c2VjcmV0' }, deps()).send(MESSAGE, { signal });

  const [{ headers, body }] = server.taken as [ChannelServer['taken'][number]];
  const signed = `${MESSAGE.id}.${NOW / 1000}.${body}`;
  expect(headers).toMatchObject({
    'content-type': 'application/cloudevents+json',
    'webhook-id': MESSAGE.id,
    'webhook-timestamp': String(NOW / 1000),
    'webhook-signature': `v1,${createHmac('sha256', 'secret').update(signed).digest('base64')}`,
  });
  expect(JSON.parse(body)).toMatchObject({
    ...{ specversion: '1.0', id: MESSAGE.id, source: 'urn:ingot:acme', type: 'ingot.problem.blocked' },
    data: { title: MESSAGE.title, lines: MESSAGE.lines, severity: 'warning' },
  });
});

describe('email', () => {
  test('arrives, with an id that says when it is the same', async () => {
    const mail = await startMail();
    const email = createEmail({
      server: mail.server,
      from: 'ingot@acme.example',
      to: ['a@acme.example', 'b@acme.example'],
    });

    const answer = await email.send(MESSAGE, { signal });
    await email.send(MESSAGE, { signal });
    await mail.stop();

    expect(answer).toMatch(/^250/);
    expect(mail.to).toEqual(['a@acme.example', 'b@acme.example', 'a@acme.example', 'b@acme.example']);
    const texts = mail.texts.map((text) => text.replaceAll('\r\n', '\n'));
    expect(texts[0]).toContain('Subject: [acme] 31 images are blocked\n');
    expect(texts[0]).toContain('- base: CVE-2026-1 in <openssl> & co\n  https://ingot.acme.example/runs/1\n');
    const ids = texts.map((text) => /^Message-ID: (.*)$/im.exec(text)?.[1]);
    expect(ids).toEqual(['<ingot-0123456789abcdef@ingot.acme>', '<ingot-0123456789abcdef@ingot.acme>']);
  });

  test.each([
    [451, true],
    [550, false],
  ])('that is answered with %s is tried again: %s', async (responseCode, retryable) => {
    const mail = await startMail(responseCode);
    const email = createEmail({ server: mail.server, from: 'ingot@acme.example', to: ['a@acme.example'] });

    const error = await email.send(MESSAGE, { signal }).catch((cause) => cause);
    await mail.stop();

    expect(error).toMatchObject({ retryable, message: expect.stringContaining(String(responseCode)) });
  });

  test.each([
    ['without TLS', ['STARTTLS'], /TLS/],
    ['whose certificate is not trusted', [], /certificate/],
  ])('hands its password to no server %s', async (_, disabledCommands, why) => {
    const mail = await startMail(undefined, disabledCommands);
    const about = { server: mail.server, from: 'ingot@acme.example', to: ['a@acme.example'] };
    const email = createEmail({ ...about, user: 'ingot', password: 'pa55word' });

    const error = await email.send(MESSAGE, { signal }).catch((cause) => cause);
    await mail.stop();

    expect(error.message).toMatch(why);
    expect(error.message).not.toContain('pa55word');
    expect(mail.texts).toEqual([]);
  });
});

async function startMail(refuseWith?: number, disabledCommands: string[] = ['STARTTLS']) {
  const [texts, to]: [string[], string[]] = [[], []];
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands,
    logger: false,
    onRcptTo({ address }, _session, callback) {
      if (refuseWith !== undefined) return callback(Object.assign(new Error('no'), { responseCode: refuseWith }));
      to.push(address);
      callback();
    },
    onData(stream, _session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        texts.push(Buffer.concat(chunks).toString('utf8'));
        callback();
      });
    },
  });
  smtp.on('error', () => {}); // clients that leave in the middle
  const listening = smtp.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    ...{ texts, to, server: `smtp://127.0.0.1:${address.port}` },
    stop: () => new Promise<void>((resolve) => smtp.close(() => resolve())),
  };
}
