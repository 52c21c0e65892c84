import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import type { PageContext } from './context.ts';

const Flash = z.object({ kind: z.enum(['good', 'bad']), text: z.string().max(600) });
export type Flash = z.infer<typeof Flash>;

const COOKIE = 'ingot_flash';

/** What the next page says, once: how the change went that was just asked for. */
export function putFlash(c: PageContext, flash: Flash, secure: boolean): void {
  const text = flash.text.slice(0, 600);
  const value = Buffer.from(JSON.stringify({ ...flash, text })).toString('base64url');
  setCookie(c, COOKIE, value, { path: '/', httpOnly: true, sameSite: 'Lax', secure, maxAge: 60 });
}

export function takeFlash(c: PageContext): Flash | undefined {
  const value = getCookie(c, COOKIE);
  if (value === undefined) return undefined;
  deleteCookie(c, COOKIE, { path: '/' });
  try {
    return Flash.safeParse(JSON.parse(Buffer.from(value, 'base64url').toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
