import { z } from 'zod';
import { type Dialect, hints } from './hooks.ts';
import { readBody } from './json.ts';
import { hintOf, RegistryEvent } from './registry-event.ts';
import { hasSecret } from './secrets.ts';

const Envelope = z.object({ events: z.array(RegistryEvent) });

/** https://distribution.github.io/distribution/about/notifications/ The secret is a header of the endpoint's configuration. */
export const distribution: Dialect = {
  holds: hasSecret,
  read: (request) =>
    readBody(request, Envelope, ({ events }) =>
      // A push by digest alone is one of an image's platforms; the tag comes with the index
      hints(events.flatMap((event) => hintOf(event, request)).filter(({ tags }) => tags.length > 0)),
    ),
};
