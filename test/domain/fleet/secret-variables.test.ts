import { expect, test } from 'vitest';
import { parseFleet } from '../../../src/domain/fleet/parse-fleet.ts';
import { secretVariablesIn } from '../../../src/domain/fleet/secret-variables.ts';
import { fleetFiles } from '../../support/fleet-files.ts';

test('every variable that definitions name as the place of a secret is found, and nothing else', () => {
  const settings = [
    'fleet: acme',
    'registry: registry.acme.example/golden',
    'signing: { key: { env: THE_KEY } }',
    'hooks: { harbor: { secret: { env: HOOK } }, quay: { secret: { file: quay.secret } } }',
    'notify: { channels: { ops: { slack: { url: { env: SLACK } } } } }',
    'gates: [ { name: canary, when: before, webhook: { url: "https://canary.example/", secret: { env: CANARY } } } ]',
    'downstreams: [ { forge: github, owner: acme, token: { env: GITHUB } } ]',
  ];
  const image = ['line: "12"', 'user: 10001', 'from: debian:12-slim', 'env: { PYTHONUNBUFFERED: "1" }'];

  const fleet = parseFleet(
    fleetFiles({ 'ingot.yaml': settings.join('\n'), 'images/base/image.yaml': image.join('\n') }),
  );

  expect([...secretVariablesIn(fleet)].sort()).toEqual(['CANARY', 'GITHUB', 'HOOK', 'SLACK', 'THE_KEY']);
});
