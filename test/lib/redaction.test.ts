import { describe, expect, test } from 'vitest';
import { createLog, LOG_FORMATS, type Log, type LogFormat } from '../../src/lib/log.ts';
import { createRedaction } from '../../src/lib/redaction.ts';
import { HARMLESS, SECRET_FORMS } from '../support/secrets.ts';

/** Awkward on purpose: quotes, line breaks and letters that addresses and JSON write otherwise. */
const KNOWN = [
  'registry p@ssword "with" quotes\\',
  'line one of it\nline two of it',
  'ünïcödé-pässwörd',
  'plain-value',
];

function logTo(format: LogFormat, ...secrets: readonly string[]): { log: Log; text: () => string } {
  const redaction = createRedaction();
  redaction.learn(...secrets);
  let text = '';
  const add = (line: string) => {
    text += line;
  };
  const log = createLog({ format, redaction, stdout: add, stderr: add, now: () => new Date(0) });
  return { log, text: () => text };
}

describe.each(LOG_FORMATS)('a log as %s', (format) => {
  test.each(SECRET_FORMS)('has no $name', ({ text: said, secrets }) => {
    const { log, text } = logTo(format);

    log.info(said, { error: said, details: { deep: [said] } });
    log.warn(`wrapped: ${JSON.stringify({ error: said })}`);

    expect(secrets.filter((secret) => text().includes(secret))).toEqual([]);
    expect(text()).toContain('***');
  });

  test.each(KNOWN)('has no value that was read as a secret: %j', (secret) => {
    const { log, text } = logTo(format, secret);
    const [part] = secret.split('\n');

    log.info(`tried ${secret}`, { error: secret });
    log.warn(`GET /?key=${encodeURIComponent(secret)}`);
    log.warn(`sent ${Buffer.from(secret).toString('base64')}`);
    log.warn(JSON.stringify({ nested: secret }));
    log.error(secret.replaceAll('\n', ' '));

    const seen = [secret, part!, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
    expect(seen.filter((each) => text().includes(each))).toEqual([]);
  });

  test('leaves everything else as it is', () => {
    const { log, text } = logTo(format, 'plain-value');

    for (const line of HARMLESS) log.info(line);

    const shown =
      format === 'text'
        ? text()
        : text()
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line).message)
            .join('\n');
    expect(shown.trimEnd()).toBe(HARMLESS.join('\n'));
  });
});

describe('a log as json', () => {
  test('is one object a line, whatever is said', () => {
    const { log, text } = logTo('json');

    log.info('two\nlines', { run: '01KB', image: 'base', message: 'of somebody else', error: undefined });
    log.detail('a step', { step: 'build' });

    const lines = text()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { time: '1970-01-01T00:00:00.000Z', level: 'info', message: 'two\nlines', run: '01KB', image: 'base' },
      { time: '1970-01-01T00:00:00.000Z', level: 'info', message: 'a step', step: 'build' },
    ]);
  });
});

describe('what is learnt', () => {
  test('counts from then on, and too short a value blots out no words', () => {
    const redaction = createRedaction();

    redaction.learn('abc', undefined, '');
    expect(redaction.redact('abcdef is my-late-secret')).toBe('abcdef is my-late-secret');
    redaction.learn('my-late-secret');
    expect(redaction.redact('abcdef is my-late-secret')).toBe('abcdef is ***');
  });

  test('takes time that grows with the text alone', () => {
    const redaction = createRedaction();
    const nasty = `${'://'.repeat(20_000)}${'Basic '.repeat(10_000)}${'-----BEGIN PRIVATE KEY-----'.repeat(2_000)}${'password='.repeat(5_000)}`;

    const began = performance.now();
    redaction.redact(nasty);

    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
