import { z } from 'zod';
import { pushed } from './git-push.ts';
import { type Dialect, NOTHING } from './hooks.ts';
import { readBody } from './json.ts';
import { hasSignature } from './secrets.ts';

const Push = z.object({
  ref: z.string(),
  after: z.string().nullish(),
  repository: z.object({
    clone_url: z.string().nullish(),
    ssh_url: z.string().nullish(),
    html_url: z.string().nullish(),
  }),
});

/** https://docs.gitea.com/usage/webhooks Gitea, and Forgejo alike: the signature is bare hex. */
export const gitea: Dialect = {
  holds: (request, secret) => hasSignature(request.headers['x-gitea-signature'], request, secret),
  read(request) {
    if (request.headers['x-gitea-event'] !== 'push') return NOTHING;
    return readBody(request, Push, ({ ref, after, repository: { clone_url, ssh_url, html_url } }) =>
      pushed(ref, after, [clone_url, ssh_url, html_url]),
    );
  },
};
