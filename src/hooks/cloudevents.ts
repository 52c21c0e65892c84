import { z } from 'zod';
import type { ImageHint } from '../domain/hooks.ts';
import { parseReference, repositoryOf } from '../domain/reference.ts';
import { type CloudEvent, readCloudEvents } from './cloud-event.ts';
import { type Dialect, hints, invalid } from './hooks.ts';
import { hasSecret } from './secrets.ts';

const Data = z.object({
  reference: z.string().optional(),
  repository: z.string().optional(),
  tag: z.string().optional(),
  digest: z.string().optional(),
});

/**
 * For senders of one's own: CloudEvents 1.0 over HTTP (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md)
 * in any mode, of any type. The image is `data.reference`, `data.repository` with `data.tag`, or the `subject`.
 */
export const cloudevents: Dialect = {
  holds: hasSecret,
  read(request) {
    const events = readCloudEvents(request);
    if (events === undefined) return invalid('the request is no CloudEvent');
    const found = events.map((event) => hintOf(event, request.registry));
    if (found.includes(undefined)) {
      return invalid('an event names no image: write it as "subject", "data.reference", or "data.repository"');
    }
    return hints(found as ImageHint[]);
  },
};

function hintOf({ subject, data, id, source }: CloudEvent, registry: string | undefined): ImageHint | undefined {
  const { reference, repository, tag, digest } = Data.safeParse(data).data ?? {};
  const written = reference ?? repository ?? subject;
  if (written === undefined) return undefined;
  try {
    const image = parseReference(registry === undefined ? written : `${registry}/${written}`);
    const named = tag ?? image.tag;
    return {
      repository: repositoryOf(image),
      tags: named === undefined ? [] : [named],
      mark: digest ?? image.digest ?? `${source} ${id}`,
    };
  } catch {
    return undefined;
  }
}
