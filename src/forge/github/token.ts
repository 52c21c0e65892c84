import { createPrivateKey } from 'node:crypto';
import { importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import { ForgeError } from '../forge.ts';
import { createRest, type RestOptions } from '../rest.ts';

/** How GitHub is asked: by a token as it is, or as an app that makes one for an hour. */
export type GithubCredential =
  | { readonly token: string }
  | {
      /** Client id or number of the app. */
      readonly app: string;
      /** PEM, PKCS#1 as GitHub gives it, or PKCS#8. */
      readonly privateKey: string;
      /** The owner whose installation is used. */
      readonly owner: string;
    };

/** Gives the token to send now. */
export type TokenSource = () => Promise<string>;

const Installation = z.object({ id: z.int() });
const InstallationToken = z.object({ token: z.string(), expires_at: z.string() });
/** Before it ends, a new one is made: a step that has begun shall end with it. */
const EARLY_MS = 5 * 60_000;

export function tokenSource(credential: GithubCredential, options: Omit<RestOptions, 'headers'>): TokenSource {
  if ('token' in credential) return async () => credential.token;
  let current: Promise<{ token: string; endsAt: number }> | undefined;
  const renew = () => {
    const renewed = installationToken(credential, options);
    renewed.catch(() => {
      current = undefined;
    });
    return renewed;
  };
  return async () => {
    current ??= renew();
    const { token, endsAt } = await current;
    if (endsAt - EARLY_MS > options.now().getTime()) return token;
    current = renew();
    return (await current).token;
  };
}

/** "Authenticating as a GitHub App installation": a signed claim of at most ten minutes, then a token of an hour. */
async function installationToken(
  { app, privateKey, owner }: Extract<GithubCredential, { app: string }>,
  options: Omit<RestOptions, 'headers'>,
) {
  const seconds = Math.floor(options.now().getTime() / 1000);
  const key = await keyOf(privateKey);
  const claim = await new SignJWT()
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(app)
    .setIssuedAt(seconds - 60) // clocks differ
    .setExpirationTime(seconds + 540)
    .sign(key);
  const rest = createRest({ ...options, headers: async () => ({ authorization: `Bearer ${claim}` }) });
  const path = encodeURIComponent(owner);
  const { id } =
    (await rest.find(`/orgs/${path}/installation`, Installation)) ??
    (await rest.get(`/users/${path}/installation`, Installation));
  const { body } = await rest.send('POST', `/app/installations/${id}/access_tokens`, {}, InstallationToken);
  return { token: body.token, endsAt: Date.parse(body.expires_at) };
}

async function keyOf(pem: string) {
  try {
    const pkcs8 = createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' }).toString();
    return await importPKCS8(pkcs8, 'RS256');
  } catch (cause) {
    const remedy = 'give the whole PEM text that GitHub let you download';
    throw new ForgeError(`the private key of the GitHub App cannot be read; ${remedy}`, {
      code: 'configuration',
      cause,
    });
  }
}
