import { createHmac } from 'node:crypto';
import type { Message } from '../domain/notifications.ts';
import type { Http } from '../lib/http.ts';
import type { Notifier } from './notify.ts';
import { post } from './post.ts';

/**
 * A service of the organisation: CloudEvents 1.0 in one JSON document, signed as Standard Webhooks 1.0 has it
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 */
export function createWebhook(
  { url, secret }: { readonly url: string; readonly secret: string },
  { http, now }: { http: Http; now: () => number },
): Notifier {
  return {
    send(message, { signal }) {
      const body = JSON.stringify(webhookBody(message));
      const timestamp = Math.floor(now() / 1000);
      const headers = {
        'content-type': 'application/cloudevents+json',
        'webhook-id': message.id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': `v1,${createHmac('sha256', keyOf(secret)).update(`${message.id}.${timestamp}.${body}`).digest('base64')}`,
      };
      return post({ url, headers, body }, { http, now, signal });
    },
  };
}

export function webhookBody({ id, channel: _, at, fleet, state, kind, ...data }: Message) {
  return {
    specversion: '1.0',
    id,
    source: `urn:ingot:${fleet}`,
    type: `ingot.${state}.${kind}`,
    time: at,
    datacontenttype: 'application/json',
    data: { fleet, state, kind, ...data },
  };
}

/** `whsec_` and base64 as the specification has it; any other text is the key as it is. */
function keyOf(secret: string): Buffer {
  const encoded = /^whsec_([A-Za-z0-9+/=]+)$/.exec(secret)?.[1];
  return encoded === undefined ? Buffer.from(secret) : Buffer.from(encoded, 'base64');
}
