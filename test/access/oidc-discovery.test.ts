import { expect, test } from 'vitest';
import { createIdentities } from '../../src/access/oidc.ts';
import type { Http, HttpResponse } from '../../src/lib/http.ts';

const ISSUER = 'https://issuer.acme.example';

test('an issuer whose document is a page of errors is not available, and nobody is let in', async () => {
  const answer = { status: 200, text: async () => '<html>Bad gateway</html>' } as unknown as HttpResponse;
  const http: Http = { request: async () => answer, close: async () => {} };
  const rules = [{ claims: { sub: '*' }, role: 'viewer', images: ['*'] }] as const;
  const identities = createIdentities(() => [{ name: 'ci', issuer: ISSUER, audience: ['ingot'], rules }], { http });
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${part({ alg: 'RS256' })}.${part({ iss: ISSUER, sub: 'a' })}.AAAA`;

  await expect(identities.verify(token)).rejects.toMatchObject({ code: 'unavailable' });
});
