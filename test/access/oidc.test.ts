import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIdentities, type Identities } from '../../src/access/oidc.ts';
import { Access } from '../../src/domain/fleet/settings-access.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { startIssuer, type TestIssuer } from '../support/oidc-issuer.ts';

let issuer: TestIssuer;
let stranger: TestIssuer;
let http: Http;
let identities: Identities;

beforeAll(async () => {
  issuer = await startIssuer();
  stranger = await startIssuer();
  http = createHttp({ connectionsPerHost: 4, userAgent: 'ingot-test', timeoutMs: 5_000 });
  const { issuers } = Access.parse({
    oidc: [
      {
        ...{ name: 'github', issuer: issuer.url, audience: 'ingot' },
        rules: [
          { claims: { sub: 'repo:acme/app:ref:refs/heads/main' }, role: 'operator', images: ['python*'] },
          { claims: { repository_owner: 'acme', repository: 'acme/*' }, role: 'viewer' },
        ],
      },
    ],
  });
  identities = createIdentities(() => issuers, { http });
});
afterAll(async () => {
  await http.close();
  await Promise.all([issuer.stop(), stranger.stop()]);
});

describe('a token of a CI system', () => {
  test('is what the first rule that fits its claims says', async () => {
    const main = await identities.verify(await issuer.sign({}));
    const branch = await identities.verify(
      await issuer.sign({ sub: 'repo:acme/x:ref:y', repository: 'acme/x', repository_owner: 'acme' }),
    );

    expect(main).toMatchObject({
      name: 'github repo:acme/app:ref:refs/heads/main',
      role: 'operator',
      images: ['python*'],
    });
    expect(branch).toMatchObject({ role: 'viewer', images: ['*'] });
  });

  test('is verified with keys that are fetched once, and again when the issuer has new ones', async () => {
    await identities.verify(await issuer.sign({}));
    const before = issuer.requests.length;
    await identities.verify(await issuer.sign({}));

    expect(issuer.requests).toHaveLength(before);
  });

  test.each<[string, () => Promise<string>, string]>([
    ['for another audience', () => issuer.sign({ aud: 'vault' }), 'unauthenticated'],
    ['that has expired', () => issuer.sign({}, { expires: '-5m' }), 'unauthenticated'],
    ['of another issuer', () => stranger.sign({}), 'unauthenticated'],
    ['that another issuer signed in its name', () => stranger.sign({ iss: issuer.url }), 'unauthenticated'],
    ['that no rule lets in', () => issuer.sign({ sub: 'repo:evil/app:ref:refs/heads/main' }), 'forbidden'],
    [
      'whose owner only begins so',
      () => issuer.sign({ sub: 'x', repository_owner: 'acme', repository: 'acme/a/b' }),
      'forbidden',
    ],
    ['that is no token', async () => 'abc.def.ghi', 'unauthenticated'],
  ])('%s is refused', async (_, sign, code) => {
    const token = await sign();

    await expect(identities.verify(token)).rejects.toMatchObject({ code });
  });

  test('without a signature is refused', async () => {
    const [, payload] = (await issuer.sign({})).split('.');
    const header = Buffer.from('{"alg":"none"}').toString('base64url');

    await expect(identities.verify(`${header}.${payload}.`)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('whose issuer does not answer is neither good nor bad', async () => {
    const gone = await startIssuer();
    const token = await gone.sign({});
    const { issuers } = Access.parse({
      oidc: [{ name: 'gone', issuer: gone.url, audience: 'ingot', rules: [{ claims: { sub: '**' }, role: 'viewer' }] }],
    });
    await gone.stop();

    const asked = createIdentities(() => issuers, { http }).verify(token);

    await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
  });
});
