import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/domain/policy/defaults.ts';
import { secretsCheck } from '../../../src/domain/policy/secrets.ts';
import type { ImageConfig } from '../../../src/domain/verdict.ts';
import { candidateFacts, imageConfig, platformFacts } from '../../support/candidate-facts.ts';

const now = new Date('2026-08-22T12:00:00Z');

function run(config: ImageConfig['config'], history: ImageConfig['history'] = []) {
  const facts = candidateFacts({
    platforms: [platformFacts('linux/amd64', { config: imageConfig('linux/amd64', config, history) })],
  });
  return secretsCheck.run(facts, DEFAULT_POLICY, now).map(({ message }) => message);
}

// Put together here, so that no scanner of this repository takes them for real.
const join = (...parts: string[]) => parts.join('');
const letters = (count: number) => 'aB3dE5gH7jK9mN1pQ2sT4vW6yZ8'.repeat(4).slice(0, count);
const SECRETS: readonly [string, string][] = [
  ['an AWS access key', join('AK', 'IA', 'IOSFODNN7EXAMPL2')],
  ['a GitHub token', join('gh', 'p_', letters(36))],
  ['a GitHub token', join('github', '_pat_', letters(70))],
  ['a GitLab token', join('gl', 'pat-', letters(20))],
  ['a Slack token', join('xo', 'xb-', '123456789012-', letters(24))],
  ['a private key', join('-----BEGIN ', 'RSA PRIVATE KEY-----')],
  ['a private key', join('-----BEGIN ', 'PRIVATE KEY-----')],
  ['a private key', join('-----BEGIN ', 'OPENSSH PRIVATE KEY-----')],
  ['an npm token', join('npm', '_', letters(36))],
  ['a JSON Web Token', join('eyJ', letters(20), '.eyJ', letters(20), '.', letters(20))],
  ['a URL with a password', join('https://', 'build:', 'hunter22', '@example.org/x')],
];

test.each(SECRETS)('%s is found in ENV, labels and history, and never shown', (what, secret) => {
  const messages = [
    ...run({ Env: [`SETTING=${secret}`] }),
    ...run({ Labels: { note: secret } }),
    ...run({}, [{ created_by: `RUN curl -H ${secret} example.org # buildkit` }]),
    ...run({}, [{ created_by: `RUN |1 SETTING=${secret} /bin/sh -c true # buildkit` }]),
  ];

  expect(messages).toHaveLength(4);
  for (const message of messages) {
    expect(message).toContain(what);
    expect(message).not.toContain(secret);
  }
});

test.each([
  ['ENV', { Env: ['DB_PASSWORD=hunter22'] }, []],
  ['a build argument', {}, [{ created_by: 'RUN |2 USER=me API_TOKEN=hunter22 /bin/sh -c make # buildkit' }]],
  ['an ENV step', {}, [{ created_by: 'ENV SECRET_KEY=hunter22' }]],
  ['an old ENV step', {}, [{ created_by: '/bin/sh -c #(nop)  ENV SECRET_KEY=hunter22' }]],
])('a variable with the name of a secret is found in %s', (_place, config, history) => {
  const messages = run(config, history);

  expect(messages).toHaveLength(1);
  expect(messages[0]).toContain('has the name of a secret');
  expect(messages[0]).not.toContain('hunter22');
});

test.each([
  'PATH=/usr/bin:/bin',
  'GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D',
  'DB_PASSWORD_FILE=/run/secrets/db',
  'DB_PASSWORD=/run/secrets/db',
  'TOKEN=',
  'ENABLE_TOKEN=true',
  'PASSWORD=$OTHER',
  'PUBLIC_KEY=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5',
  'HTTP_PROXY=http://proxy.example.org:3128',
  'DATABASE_URL=postgres://$USER:$PASSWORD@db/x',
  'TOKENIZER=bert',
  'NODE_VERSION=24.1.0',
  'IMAGE=ghcr.io/acme/x@sha256:0123456789abcdef',
  'URL=https://example.org:8443/a@b',
])('%s is no secret', (entry) => {
  expect(run({ Env: [entry] })).toEqual([]);
});

test.each([
  'RUN --mount=type=secret,id=token,env=TOKEN make # buildkit',
  'RUN /bin/sh -c TOKEN=$(cat /run/secrets/token) make # buildkit',
  'COPY /a /b # buildkit',
])('%s is no secret', (command) => {
  expect(run({}, [{ created_by: command }])).toEqual([]);
});
