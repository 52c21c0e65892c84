import { z } from '@hono/zod-openapi';
import { ACCESS_ROLES } from '../../domain/access/principal.ts';
import { answer, createRouter, operation } from '../operation.ts';
import { Time } from '../schemas/common.ts';

const Self = z
  .object({
    name: z.string(),
    role: z.enum(ACCESS_ROLES),
    images: z.array(z.string()).openapi({ description: 'globs; `*` alone is the whole fleet' }),
    csrf: z.string().optional().openapi({ description: 'of a browser session: the header x-csrf-token of changes' }),
    expiresAt: Time.optional(),
  })
  .openapi('Self');

const show = operation({
  ...{ method: 'get', path: '/v1/session', tag: 'Access', role: 'viewer', answer: Self },
  summary: 'Who the credential is, and what it may do',
});

export function sessionRoutes() {
  return createRouter().openapi(show, (c) => {
    const { principal, session } = c.var;
    const { csrf, expiresAt } = session ?? {};
    return answer(c, Self, { ...principal, csrf, expiresAt });
  });
}
