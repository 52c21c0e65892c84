import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** An issuer of identities as CI systems run one, with real keys, on loopback. */
export interface TestIssuer {
  readonly url: string;
  /** A token of this issuer; what is given is in it instead of the usual. */
  sign(claims: JWTPayload, options?: { readonly expires?: string; readonly alg?: string }): Promise<string>;
  /** New keys, as issuers do it now and then. */
  rotate(): Promise<void>;
  readonly requests: string[];
  stop(): Promise<void>;
}

export async function startIssuer(): Promise<TestIssuer> {
  let count = 0;
  const makeKey = async () => ({ kid: `key-${++count}`, pair: await generateKeyPair('RS256') });
  let key = await makeKey();
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    requests.push(request.url!);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const keys = [{ ...(await exportJWK(key.pair.publicKey)), kid: key.kid, alg: 'RS256', use: 'sig' }];
    const answers: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
      '/keys': { keys },
    };
    const found = answers[request.url!];
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? {}));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url, requests },
    async rotate() {
      key = await makeKey();
    },
    async sign(claims, { expires = '5m' } = {}) {
      const usual = { iss: url, aud: 'ingot', sub: 'repo:acme/app:ref:refs/heads/main', ...claims };
      const token = new SignJWT(usual).setProtectedHeader({ alg: 'RS256', kid: key.kid }).setIssuedAt();
      return token.setExpirationTime(expires).sign(key.pair.privateKey);
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
