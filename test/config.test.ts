import { userInfo } from 'node:os';
import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';

test.each<[string, NodeJS.ProcessEnv, string]>([
  ['CI that started the job', { GITHUB_ACTOR: 'ada', GIT_AUTHOR_NAME: 'Ben' }, 'ada'],
  ['git, where it is told', { GITHUB_ACTOR: ' ', GIT_AUTHOR_NAME: 'Ben' }, 'Ben'],
  ['the user of the machine', {}, userInfo().username],
])('the person who gives a command is known by %s', async (_name, env, expected) => {
  expect((await readConfig({ env })).person).toBe(expected);
});

test('traces are sent where OpenTelemetry is told to, and nowhere else', async () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
  const sends = async (env: NodeJS.ProcessEnv) => (await readConfig({ env })).traces;

  expect(await sends({})).toBe(false);
  expect(await sends(endpoint)).toBe(true);
  expect(await sends({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' })).toBe(true);
  expect(await sends({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' })).toBe(false);
  expect(await sends({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' })).toBe(false);
});

test('what is wrong with the settings of operation is said at once', async () => {
  const env = { INGOT_LOG_FORMAT: 'xml', INGOT_METRICS_LISTEN: '9464', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };

  const error = await readConfig({ env }).catch((mistakes: Error) => mistakes);

  expect(`${error}`).toContain('INGOT_LOG_FORMAT: must be text or json');
  expect(`${error}`).toContain('INGOT_METRICS_LISTEN: must be address:port, as in 0.0.0.0:9464, or "off"');
  expect(`${error}`).toContain('OTEL_EXPORTER_OTLP_PROTOCOL: ingot sends traces as http/protobuf only');
});

test('what the environment holds as a secret is known from the start', async () => {
  const env = {
    REDIS_URL: 'redis://:p%40ss-of-redis@127.0.0.1:1',
    HTTPS_PROXY: 'http://me:pass-of-proxy@127.0.0.1:2',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=header-of-collector,y=1',
    COSIGN_PASSWORD: 'pass-of-cosign',
    TOKEN_FILE: '/run/secrets/token',
    NOT_NAMED_SO: 'read-when-it-is-needed',
  };
  const { redaction, secret } = await readConfig({ env });

  const said = 'p@ss-of-redis pass-of-proxy header-of-collector pass-of-cosign /run/secrets/token';
  expect(redaction.redact(said)).toBe('*** *** *** *** /run/secrets/token');
  expect(redaction.redact('read-when-it-is-needed')).toBe('read-when-it-is-needed');
  secret('NOT_NAMED_SO');
  expect(redaction.redact('read-when-it-is-needed')).toBe('***');
});
