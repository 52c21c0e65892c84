import { z } from 'zod';
import { type Dialect, hints } from './hooks.ts';
import { readBody } from './json.ts';
import { hasSecret } from './secrets.ts';

const Push = z.object({
  docker_url: z.string(),
  /** A list; a map of tags to image ids in old versions. */
  updated_tags: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).default([]),
});

/** https://docs.quay.io/guides/notifications.html Nothing is signed: `?token=`. Nothing tells one push from the next. */
export const quay: Dialect = {
  holds: hasSecret,
  read: (request) =>
    readBody(request, Push, ({ docker_url: url, updated_tags: tags }) => {
      const path = url.replace(/^https?:\/\//, '');
      const repository = request.registry === undefined ? path : path.replace(/^[^/]+/, request.registry);
      return hints([{ repository, tags: Array.isArray(tags) ? tags : Object.keys(tags) }]);
    }),
};
