import { z } from 'zod';
import { pushed } from './git-push.ts';
import { type Dialect, NOTHING } from './hooks.ts';
import { readBody } from './json.ts';
import { isSame } from './secrets.ts';

const Push = z.object({
  ref: z.string(),
  after: z.string().nullish(),
  project: z.object({
    git_http_url: z.string().nullish(),
    git_ssh_url: z.string().nullish(),
    web_url: z.string().nullish(),
  }),
});

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events The secret itself is in `X-Gitlab-Token`. */
export const gitlab: Dialect = {
  holds: ({ headers }, secret) => isSame(headers['x-gitlab-token'] ?? '', secret),
  read(request) {
    if (request.headers['x-gitlab-event'] !== 'Push Hook') return NOTHING;
    return readBody(request, Push, ({ ref, after, project: { git_http_url, git_ssh_url, web_url } }) =>
      pushed(ref, after, [git_http_url, git_ssh_url, web_url]),
    );
  },
};
