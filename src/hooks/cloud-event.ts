import { z } from 'zod';
import type { HookRequest } from './hooks.ts';

/** CloudEvents 1.0, section "Context Attributes"; what is not used here is left out. */
export interface CloudEvent {
  readonly type: string;
  readonly source: string;
  readonly id: string;
  readonly subject?: string | undefined;
  readonly data: unknown;
}

const Event = z.object({
  specversion: z.string(),
  type: z.string(),
  source: z.string(),
  id: z.string(),
  subject: z.string().optional(),
  data: z.unknown(),
});

/**
 * The events of a request in any of the three modes of the HTTP binding: attributes in `ce-` headers (binary), one
 * document (structured), a list of documents (batched). `undefined`: it is none of these.
 */
export function readCloudEvents({ headers, body }: HookRequest): readonly CloudEvent[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
  if (headers['ce-specversion'] !== undefined) {
    const attributes = ['specversion', 'type', 'source', 'id', 'subject'].map(
      (name) => [name, headers[`ce-${name}`]] as const,
    );
    const parsed = Event.safeParse({ ...Object.fromEntries(attributes), data: json });
    return parsed.success ? [parsed.data] : undefined;
  }
  return z.array(Event).safeParse(Array.isArray(json) ? json : [json]).data;
}
