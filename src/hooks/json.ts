import type { z } from 'zod';
import { type HookRequest, invalid, type Reading } from './hooks.ts';

/** The body as a schema has it, or why it is not that. */
export function readBody<T>(
  { body }: Pick<HookRequest, 'body'>,
  schema: z.ZodType<T>,
  use: (value: T) => Reading,
): Reading {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return invalid('the body is not JSON');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return use(parsed.data);
  const { path = [], message = '' } = parsed.error.issues[0] ?? {};
  return invalid(`the body is not as expected: ${path.join('.') || 'as a whole'}: ${message}`);
}
