import { z } from 'zod';
import type { PageContext } from '../context.ts';

type Fields = Readonly<Record<string, z.ZodType>>;
export type Query<T extends Fields> = { readonly [K in keyof T]?: z.infer<T[K]> | undefined };

/** What the address asks for; what is empty or nonsense there is as good as not said. */
export function parseQuery<T extends Fields>(c: PageContext, fields: T): Query<T> {
  const found = Object.entries(fields).flatMap(([name, schema]) => {
    const given = c.req.query(name);
    if (given === undefined || given === '') return [];
    const parsed = schema.safeParse(given);
    return parsed.success ? [[name, parsed.data] as const] : [];
  });
  return Object.fromEntries(found) as Query<T>;
}

export const Cursor = z
  .string()
  .max(128)
  .regex(/^[\w.:-]+$/);
