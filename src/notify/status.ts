import { apiOf, type WebForgeName } from '../domain/forge-address.ts';
import type { Message } from '../domain/notifications.ts';
import type { Http } from '../lib/http.ts';
import { type Notifier, NotifyError } from './notify.ts';
import { post } from './post.ts';

interface StatusChannel {
  readonly forge: WebForgeName;
  readonly url: string;
  readonly repository: string;
  readonly token: string;
}

/** What forges show of a description; GitHub refuses more than 140. */
const MOST = 140;

/**
 * A status on the commit of the definitions, one for each image and kind of problem: `ingot/blocked/python`.
 * POST .../statuses/SHA of GitHub (https://docs.github.com/en/rest/commits/statuses), Gitea and Forgejo, which took it
 * over, and GitLab (https://docs.gitlab.com/api/commits/#set-commit-pipeline-status). The same again is no second one.
 */
export function createStatus(channel: StatusChannel, deps: { http: Http; now: () => number }): Notifier {
  const authorization = isGitea(channel) ? `token ${channel.token}` : `Bearer ${channel.token}`;
  const headers = { authorization, 'content-type': 'application/json', accept: 'application/json' };
  return {
    async send(message, { signal }) {
      const { commit } = message;
      if (commit === undefined) {
        const why = 'statuses are set on the commit of the definitions, and there is none to try it on';
        throw new NotifyError(why, { code: 'refused' });
      }
      const statuses = statusesOf(message);
      for (const status of statuses) {
        const body = JSON.stringify(channel.forge === 'gitlab' ? toGitlab(status) : status);
        await post({ url: addressOf(channel, commit), headers, body }, { ...deps, signal });
      }
      return `${statuses.length} on ${commit.slice(0, 12)} of ${channel.repository}`;
    },
  };
}

function isGitea({ forge }: StatusChannel): boolean {
  return forge === 'gitea' || forge === 'forgejo';
}

function addressOf(channel: StatusChannel, commit: string): string {
  const { forge, url, repository } = channel;
  const path = forge === 'gitlab' ? `projects/${encodeURIComponent(repository)}` : `repos/${repository}`;
  return `${apiOf(forge, url)}/${path}/statuses/${commit}`;
}

interface Status {
  readonly state: 'success' | 'failure' | 'pending';
  readonly context: string;
  readonly description: string;
  readonly target_url?: string;
}

function statusesOf({ state, kind, title, lines, more }: Message): readonly Status[] {
  const result = state === 'recovered' ? 'success' : state === 'test' ? 'pending' : 'failure';
  const each = lines.map(({ image, reason, link }): Status => {
    const context = `ingot/${[kind, image].filter(Boolean).join('/')}`;
    const description = shortened(state === 'recovered' ? title : reason);
    return { state: result, context, description, ...(link && { target_url: link }) };
  });
  const rest: Status = { state: result, context: `ingot/${kind}`, description: shortened(title) };
  return more === 0 ? each : [...each, rest];
}

function toGitlab({ state, context, ...rest }: Status) {
  return { ...rest, name: context, state: state === 'failure' ? 'failed' : state };
}

function shortened(text: string): string {
  return text.length <= MOST ? text : `${text.slice(0, MOST - 1)}…`;
}
