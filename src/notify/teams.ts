import type { Message } from '../domain/notifications.ts';
import type { Http } from '../lib/http.ts';
import type { Notifier } from './notify.ts';
import { post } from './post.ts';

const COLOURS = { critical: 'attention', warning: 'warning', info: 'accent' } as const;

/**
 * The workflow "Post to a channel when a webhook request is received", with an Adaptive Card:
 * https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
export function createTeams(url: string, { http, now }: { http: Http; now: () => number }): Notifier {
  return {
    send: (message, { signal }) =>
      post(
        { url, headers: { 'content-type': 'application/json' }, body: JSON.stringify(teamsBody(message)) },
        { http, now, signal },
      ),
  };
}

export function teamsBody({ id, title, state, severity, lines, more, fleet, at }: Message) {
  const color = state === 'recovered' ? 'good' : COLOURS[severity];
  const text = (content: string, rest: object = {}) => ({ type: 'TextBlock', text: content, wrap: true, ...rest });
  const link = lines.find((line) => line.link !== undefined)?.link;
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      text(escaped(title), { size: 'medium', weight: 'bolder', color }),
      ...lines.map(({ image, reason }) =>
        text(`${image === undefined ? '' : `**${escaped(image)}**: `}${escaped(reason)}`),
      ),
      ...(more > 0 ? [text(`and ${more} more`)] : []),
      text(escaped(`${fleet} · ${at} · ${id}`), { isSubtle: true, size: 'small' }),
    ],
    ...(link !== undefined && { actions: [{ type: 'Action.OpenUrl', title: 'More', url: link }] }),
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card }],
  };
}

/** What Markdown of cards would take for marks. */
function escaped(text: string): string {
  return text.replaceAll(/[*_[\]`]/g, String.raw`\$&`);
}
