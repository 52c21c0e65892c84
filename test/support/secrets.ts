import { generateKeyPairSync } from 'node:crypto';

/** A secret as it may get into a text that is logged, and what of it must never be seen. */
export interface SecretForm {
  readonly name: string;
  readonly text: string;
  readonly secrets: readonly string[];
}

const { privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const body = privateKey.split('\n').slice(1, -2);
const basic = Buffer.from('robot:s3cret-of-robot').toString('base64');
const encrypted =
  '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neyJrZGYiOnsibmFtZSI6InNjcnlwdCJ9fQ==\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----';
const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lzc3VlciJ9.c2lnbmF0dXJl';
const ours = `ingot_0123456789ab_${'5'.repeat(64)}`;

/** Put together, so that no scanner takes this file for a leak. */
const token = (prefix: string, rest: string) => `${prefix}${rest}`;

/** Forms that tell by themselves what they are, whoever wrote them. */
export const SECRET_FORMS: readonly SecretForm[] = [
  form(
    'password in an address',
    'cannot reach https://robot:hunter2-hunter2@registry.acme.example/v2/',
    'hunter2-hunter2',
  ),
  form('password alone in an address', 'REDIS redis://:r3dis-pass@10.0.0.1:6379/0 is gone', 'r3dis-pass'),
  form('password with an @', 'git+https://me:p@ss-with-at@git.acme.example/golden.git', 'p@ss-with-at', 'ss-with-at'),
  form('token as user', 'https://tok3n-as-user@git.acme.example/x.git failed', 'tok3n-as-user'),
  form('proxy', 'proxy http://user:pr0xy-pass@proxy:3128 refused', 'pr0xy-pass'),
  form('basic credentials', `sent Authorization: Basic ${basic}`, basic),
  form('bearer token', 'header "authorization: Bearer 0paque.t0ken-value_of-20"', '0paque.t0ken-value_of-20'),
  form('JSON web token', `the token ${jwt} is not accepted`, jwt, 'c2lnbmF0dXJl'),
  form('token of ingot', `token ${ours} is unknown`, ours, '5'.repeat(64)),
  form('private key', `bad key:\n${privateKey}`, ...body),
  form('private key in one line', `key "${privateKey.replaceAll('\n', '\\n')}"`, ...body),
  form('private key cut off', `key: ${privateKey.slice(0, 120)}`, body[0]!.slice(0, 40)),
  form('key of cosign', `cannot decrypt ${encrypted}`, 'eyJrZGYiOnsibmFtZSI6InNjcnlwdCJ9fQ=='),
  form('token of GitHub', `401 for ${token('ghp_', 'A1b2C3d4E5f6G7h8I9j0K1l2')}`, 'A1b2C3d4E5f6G7h8I9j0K1l2'),
  form('fine-grained one', `401 for ${token('github_pat_', '11ABCDEFG0abcdefghijkl_mnop')}`, '11ABCDEFG0abcdefghijkl'),
  form('token of GitLab', `PRIVATE-TOKEN ${token('glpat-', 'abc123DEF456ghi789jk')}`, 'abc123DEF456ghi789jk'),
  form('token of Slack', `posted with ${token('xoxb-', '1234567890-abcdefghij')}`, '1234567890-abcdefghij'),
  form(
    'webhook of Slack',
    `POST https://${token('hooks.slack.com/services/', 'T0000/B0000/abcdefXYZ')} 500`,
    'abcdefXYZ',
  ),
  form('signature of an address', 'GET https://blob.example/x?se=2026&sig=c2lnbmVk%2Bbytes failed', 'c2lnbmVk%2Bbytes'),
  form(
    'presigned address',
    'https://s3.example/b?X-Amz-Credential=AK/x&X-Amz-Signature=0a1b2c3d4e5f6071',
    '0a1b2c3d4e5f6071',
  ),
  form('token in a query', 'GET /hooks/quay?token=h00k-secret-1 404', 'h00k-secret-1'),
  form('assignment', 'COSIGN_PASSWORD=c0sign-pass could not be used', 'c0sign-pass'),
  form('JSON', '{"username":"robot","password":"js0n-password"}', 'js0n-password'),
];

function form(name: string, text: string, ...secrets: readonly string[]): SecretForm {
  return { name, text, secrets };
}

/** What people and programs write every day, and is no secret. */
export const HARMLESS: readonly string[] = [
  'listening on http://127.0.0.1:8080',
  'released as 12.0.1; passed contract',
  `oci://registry.acme.example/golden/debian@sha256:${'a'.repeat(64)} is not signed`,
  `docker.io/library/debian:12-slim@sha256:${'b'.repeat(64)}`,
  'its secret is not there: the variable HOOK_HARBOR is empty, where "ingot serve" runs',
  'the token robot expired at 2026-11-24T02:00:00.000Z',
  'send a token ("Authorization: Bearer …"), or sign in',
  'Basic authentication is not offered; Bearer realm="https://auth.example/token",service="registry"',
  'no signing key: the variable INGOT_SIGNING_KEY is empty; put the PEM of the private key into INGOT_SIGNING_KEY',
  'base: run 01KB8Z8R3VJ7Q6Z8V2J4Q6Z8V2 ended as released: released as 12.0.1',
  'mail to platform@acme.example',
  '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----',
];
