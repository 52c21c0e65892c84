import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOOK_DIALECTS, type HookDialect } from '../../src/domain/hooks.ts';

/** A hook in the form that its sender documents, with values of our own. */
export interface HookFixture {
  readonly name: string;
  /** Address of the page that has its form. */
  readonly documented: string;
  readonly dialect: HookDialect;
  readonly headers: Readonly<Record<string, string>>;
  /** How the secret goes along: as this header, or as `token` of the address. */
  readonly sign: string;
  readonly image?: { readonly repository: string; readonly tag: string; readonly mark?: string };
  readonly source?: { readonly branch: string; readonly mark: string };
  readonly body: unknown;
}

const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'hooks');

export const HOOK_FIXTURES: readonly HookFixture[] = readdirSync(FOLDER)
  .sort()
  .map((file) => {
    const fixture = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Omit<HookFixture, 'name'>;
    if (!HOOK_DIALECTS.includes(fixture.dialect)) throw new Error(`${file} is of no dialect`);
    return { ...fixture, name: file.replace('.json', '') };
  });

/** As its sender sends it with that secret. @param edit of the body's text, before it is signed */
export function sent(
  { headers, sign, body, dialect }: HookFixture,
  secret: string,
  edit: (text: string) => string = (text) => text,
) {
  const text = edit(JSON.stringify(body));
  const hmac = createHmac('sha256', secret).update(text).digest('hex');
  const proof: Record<string, Record<string, string>> = {
    bearer: { authorization: `Bearer ${secret}` },
    basic: { authorization: `Basic ${Buffer.from(`zot:${secret}`).toString('base64')}` },
    authorization: { authorization: secret },
    token: {},
    'x-hub-signature-256': { 'x-hub-signature-256': `sha256=${hmac}` },
    'x-gitea-signature': { 'x-gitea-signature': hmac },
    'x-gitlab-token': { 'x-gitlab-token': secret },
  };
  const path = `/hooks/${dialect}${sign === 'token' ? `?token=${encodeURIComponent(secret)}` : ''}`;
  return {
    path,
    token: sign === 'token' ? secret : undefined,
    headers: { 'content-type': 'application/json', ...headers, ...proof[sign] } as Record<string, string>,
    text,
  };
}
