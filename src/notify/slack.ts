import type { Message } from '../domain/notifications.ts';
import type { Http } from '../lib/http.ts';
import type { Notifier } from './notify.ts';
import { post } from './post.ts';

const SIGNS = { critical: ':red_circle:', warning: ':large_orange_circle:', info: ':large_blue_circle:' } as const;
/** Slack takes 3,000 characters a section. */
const MAX_SECTION = 2_900;

/** An incoming webhook, with Block Kit: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export function createSlack(url: string, { http, now }: { http: Http; now: () => number }): Notifier {
  return {
    send: (message, { signal }) =>
      post(
        { url, headers: { 'content-type': 'application/json' }, body: JSON.stringify(slackBody(message)) },
        { http, now, signal },
      ),
  };
}

export function slackBody({ id, title, state, severity, lines, more, fleet, at }: Message) {
  const sign = state === 'recovered' ? ':large_green_circle:' : SIGNS[severity];
  const heading = `${sign} *${escaped(title)}*`;
  const text = [...lines.map(lineOf), ...(more > 0 ? [`and ${more} more`] : [])].join('\n').slice(0, MAX_SECTION);
  const context = `${escaped(fleet)} · ${at} · ${id}`;
  return {
    text: `${fleet}: ${title}`, // for notifications of the system, and readers of screens
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: heading } },
      { type: 'section', text: { type: 'mrkdwn', text } },
      { type: 'context', elements: [{ type: 'mrkdwn', text: context }] },
    ],
  };
}

function lineOf({ image, reason, link }: Message['lines'][number]): string {
  const name = image === undefined ? '' : `*${escaped(image)}*: `;
  const more = link === undefined ? '' : ` <${link}|more>`;
  return `• ${name}${escaped(reason)}${more}`;
}

/** The three characters that mean something in mrkdwn links and mentions. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
