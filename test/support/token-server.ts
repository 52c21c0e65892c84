import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';

/** One request for a token, as it came. */
export interface TokenAsked {
  readonly scopes: readonly string[];
  /** Absent: anonymous. */
  readonly user?: string;
  readonly grant: 'password' | 'refresh';
}

export interface TokenServer {
  /** For the `auth` part of distribution's configuration. */
  readonly auth: Readonly<Record<string, unknown>>;
  readonly asked: TokenAsked[];
  /** Seconds that tokens are said to last; default 300. */
  expiresIn: number | undefined;
  /** Name of the field that holds the token. */
  field: 'token' | 'access_token';
  stop(): Promise<void>;
}

export const USER = { username: 'alice', password: 'correct horse' };
export const IDENTITY_TOKEN = 'long-lived-identity';
const SERVICE = 'registry.test';
const ISSUER = 'tokens.test';

/**
 * A token server as the distribution project specifies it. Anonymous clients may pull from `public/`, the user may do
 * all but in `others/`; less is granted than asked, without an error.
 */
export async function startTokenServer(): Promise<TokenServer> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-tokens-'));
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', `/CN=${ISSUER}`, '-days', '2'];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  await exec('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files]);
  const issue = createIssuer(await readFile(keyFile, 'utf8'), await readFile(certificateFile, 'utf8'));
  const asked: TokenAsked[] = [];
  const state = { expiresIn: 300 as number | undefined, field: 'token' as 'token' | 'access_token' };
  const server = createServer(async (request, response) => {
    const wish = await readWish(request);
    if (wish === undefined) return void response.writeHead(401).end();
    asked.push(wish);
    const token = issue(wish.scopes.map((scope) => grant(scope, wish.user)));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ [state.field]: token, expires_in: state.expiresIn }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return Object.assign(state, {
    auth: { token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: certificateFile } },
    asked,
    async stop() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    },
  });
}

/** `undefined`: wrong credentials. */
async function readWish(request: IncomingMessage): Promise<TokenAsked | undefined> {
  if (request.method === 'POST') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    if (form.get('grant_type') !== 'refresh_token' || form.get('refresh_token') !== IDENTITY_TOKEN) return undefined;
    return { scopes: (form.get('scope') ?? '').split(' '), user: USER.username, grant: 'refresh' };
  }
  const scopes = new URL(request.url ?? '', 'http://localhost').searchParams.getAll('scope');
  const { authorization } = request.headers;
  if (authorization === undefined) return { scopes, grant: 'password' };
  const given = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString();
  return given === `${USER.username}:${USER.password}` ? { scopes, user: USER.username, grant: 'password' } : undefined;
}

function grant(scope: string, user: string | undefined) {
  const [type = '', name = '', actions = ''] = scope.split(':');
  const wanted = actions.split(',');
  const allowed =
    user !== undefined && !name.startsWith('others/') ? wanted : name.startsWith('public/') ? ['pull'] : [];
  return { type, name, actions: wanted.filter((action) => allowed.includes(action)) };
}

function createIssuer(keyPem: string, certificatePem: string) {
  const key = createPrivateKey(keyPem);
  const header = { typ: 'JWT', alg: 'RS256', x5c: [new X509Certificate(certificatePem).raw.toString('base64')] };
  let count = 0;
  return (access: readonly unknown[]): string => {
    const now = Math.floor(Date.now() / 1000);
    const times = { exp: now + 600, nbf: now - 10, iat: now, jti: String(++count) };
    const claims = { iss: ISSUER, sub: 'test', aud: SERVICE, ...times, access };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  };
}
