import { z } from 'zod';
import { type ForgeCall, ForgeError } from '../forge.ts';
import { type Rest, statusOf } from '../rest.ts';

/** What a query was refused for: GraphQL says so with status 200. */
export interface GraphqlRefusal {
  readonly type?: string | undefined;
  readonly message: string;
}

export interface Graphql {
  /** @throws ForgeError with `details.refusals` */
  ask<T>(
    query: string,
    variables: Readonly<Record<string, unknown>>,
    answer: z.ZodType<T>,
    call?: ForgeCall,
  ): Promise<T>;
}

const Answer = z.object({
  data: z.unknown().optional(),
  errors: z.array(z.object({ type: z.string().optional(), message: z.string() })).optional(),
});

export function createGraphql(rest: Rest): Graphql {
  return {
    async ask(query, variables, answer, call) {
      const { body } = await rest.send('POST', '', { query, variables }, Answer, call);
      if (body.errors === undefined) return answer.parse(body.data);
      const said = body.errors.map(({ message }) => message).join('; ');
      const isLimit = body.errors.some(({ type }) => type === 'RATE_LIMITED');
      const isRefused = body.errors.some(({ type }) => type === 'FORBIDDEN' || type === 'INSUFFICIENT_SCOPES');
      throw new ForgeError(`GitHub says: ${said}`, {
        code: isLimit ? 'rate-limited' : isRefused ? 'unauthorised' : 'conflict',
        retryable: isLimit,
        details: { refusals: body.errors },
      });
    },
  };
}

/** @returns what a query was refused for; nothing for other errors */
export function refusalsOf(error: unknown): readonly GraphqlRefusal[] {
  if (!(error instanceof ForgeError) || statusOf(error) !== undefined) return [];
  return (error.details.refusals as readonly GraphqlRefusal[] | undefined) ?? [];
}
