import { z } from 'zod';
import { readCloudEvents } from './cloud-event.ts';
import { type Dialect, hints, invalid } from './hooks.ts';
import { hasSecret } from './secrets.ts';

const Data = z.object({ name: z.string(), reference: z.string().optional(), digest: z.string().optional() });

/** https://zotregistry.dev/latest/articles/events/ CloudEvents; where `source` is no address, `registry` says the host. */
export const zot: Dialect = {
  holds: hasSecret,
  read(request) {
    const events = readCloudEvents(request);
    if (events === undefined) return invalid('the request is no CloudEvent');
    return hints(
      events.flatMap(({ type, source, data }) => {
        const host = request.registry ?? URL.parse(source)?.host;
        const parsed = Data.safeParse(data);
        // The prefix of types can be chosen
        if (!type.endsWith('.image.updated') || !host || !parsed.success) return [];
        const { name, reference, digest } = parsed.data;
        const isTag = reference !== undefined && !reference.includes(':');
        return isTag ? [{ repository: `${host}/${name}`, tags: [reference], ...(digest && { mark: digest }) }] : [];
      }),
    );
  },
};
