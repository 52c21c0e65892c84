import { z } from 'zod';
import { type Dialect, hints } from './hooks.ts';
import { readBody } from './json.ts';
import { hasSecret } from './secrets.ts';

const Push = z.object({
  push_data: z.object({ tag: z.string().optional(), pushed_at: z.number().optional() }),
  repository: z.object({ repo_name: z.string() }),
});

/** https://docs.docker.com/docker-hub/repos/manage/webhooks/ Docker Hub signs nothing and sets no header: `?token=`. */
export const dockerHub: Dialect = {
  holds: hasSecret,
  read: (request) =>
    readBody(request, Push, ({ push_data: { tag, pushed_at: at }, repository }) =>
      hints([
        {
          repository: `docker.io/${repository.repo_name}`,
          tags: tag === undefined ? [] : [tag],
          ...(at !== undefined && { mark: String(at) }),
        },
      ]),
    ),
};
