import type { Config } from '../config.ts';
import type { NotifyChannel } from '../domain/fleet/settings-notify.ts';
import type { Http } from '../lib/http.ts';
import { createEmail } from '../notify/email.ts';
import type { Notifier } from '../notify/notify.ts';
import { createSlack } from '../notify/slack.ts';
import { createStatus } from '../notify/status.ts';
import { createTeams } from '../notify/teams.ts';
import { createWebhook } from '../notify/webhook.ts';
import { readSecret } from './hooks.ts';

/** The way to a channel, with the secrets that are on this machine. */
export async function createNotifier(channel: NotifyChannel, config: Config, http: Http): Promise<Notifier> {
  const deps = { http, now: () => Date.now() };
  switch (channel.kind) {
    case 'slack':
      return createSlack(await readSecret(channel.url, config), deps);
    case 'teams':
      return createTeams(await readSecret(channel.url, config), deps);
    case 'status':
      return createStatus({ ...channel, token: await readSecret(channel.token, config) }, deps);
    case 'webhook':
      return createWebhook({ url: channel.url, secret: await readSecret(channel.secret, config) }, deps);
    case 'email': {
      const { server, user, from, to } = channel;
      const password = channel.password && (await readSecret(channel.password, config));
      return createEmail({ server, user, password, from, to, ca: config.ca });
    }
  }
}
