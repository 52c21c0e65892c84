import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { HookRequest } from './hooks.ts';

/** In a time that says nothing about either, nor about their lengths: hashes are compared. */
export function isSame(given: string, wanted: string): boolean {
  return timingSafeEqual(hash(given), hash(wanted));
}

/**
 * Whether the secret itself came along: `Authorization: Bearer …`, the password of `Basic`, the bare value (Harbor), or
 * `?token=…` where a sender sets no header.
 */
export function hasSecret({ headers, token }: HookRequest, secret: string): boolean {
  const { authorization = '' } = headers;
  const [, scheme = '', value = ''] = /^(bearer|basic) (.+)$/i.exec(authorization) ?? [];
  const password = scheme.toLowerCase() === 'basic' ? afterColon(value) : value;
  const given = [authorization, password, token ?? ''];
  return given.map((each) => isSame(each, secret)).some((same) => same); // each of them, whatever the first says
}

/** Whether a header holds the HMAC-SHA256 of the body, in hex. */
export function hasSignature(header: string | undefined, { body }: HookRequest, secret: string): boolean {
  const wanted = createHmac('sha256', secret).update(body).digest('hex');
  return isSame(header?.toLowerCase() ?? '', wanted);
}

function afterColon(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
