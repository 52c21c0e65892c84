import { createTransport } from 'nodemailer';
import type { Message } from '../domain/notifications.ts';
import { type Notifier, NotifyError } from './notify.ts';

export interface EmailOptions {
  /** `smtp://host:587`: STARTTLS where the server offers it; `smtps://host`: TLS from the start. */
  readonly server: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
  /** PEM of further authorities. */
  readonly ca?: string | undefined;
}

const TIMEOUT_MS = 15_000;

export function createEmail({ server, user, password, from, to, ca }: EmailOptions): Notifier {
  const { protocol, hostname, port } = new URL(server);
  const secure = protocol === 'smtps:';
  return {
    async send(message, { signal }) {
      const transport = createTransport({
        host: hostname.replace(/^\[|\]$/g, ''),
        port: port === '' ? (secure ? 465 : 587) : Number(port),
        secure,
        // A password goes over no line that others can read
        requireTLS: password !== undefined && !secure,
        ...(password !== undefined && { auth: { user: user ?? from, pass: password } }),
        ...(ca !== undefined && { tls: { ca } }),
        ...{ connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS },
        ...{ disableFileAccess: true, disableUrlAccess: true },
      });
      try {
        const sent = transport.sendMail({ from, to: [...to], ...mailOf(message) });
        const { response } = await Promise.race([sent, aborted(signal)]);
        return response;
      } catch (error) {
        throw toError(error as Error & { responseCode?: number; code?: string });
      } finally {
        transport.close();
      }
    },
  };
}

/** Mails of one problem and of its end are one thread; the same message has the same Message-ID. */
export function mailOf({ id, title, state, kind, lines, more, fleet, at }: Message) {
  const texts = lines.map(({ image, reason, link }) => {
    return `- ${image === undefined ? '' : `${image}: `}${reason}${link === undefined ? '' : `\n  ${link}`}`;
  });
  return {
    subject: `[${fleet}] ${title}`.replaceAll(/\p{Cc}+/gu, ' '),
    messageId: `<${id}@ingot.${fleet}>`,
    headers: { 'auto-submitted': 'auto-generated', 'x-ingot-state': state, 'x-ingot-kind': kind },
    text: [title, '', ...texts, ...(more > 0 ? [`and ${more} more`] : []), '', `${fleet}, ${at}, ${id}`, ''].join('\n'),
  };
}

/** Nobody who stops waits for a server that does not answer; the connection ends by its own time. */
function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(new Error('it was cancelled'));
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return promise;
}

/** RFC 5321, 4.2.1: answers of 5xx stay what they are, those of 4xx may change. */
function toError(cause: Error & { responseCode?: number; code?: string }): NotifyError {
  const isFinal = cause.code === 'EAUTH' || (cause.responseCode !== undefined && cause.responseCode >= 500);
  const code = isFinal ? 'refused' : 'unavailable';
  return new NotifyError(`the mail server: ${cause.message}`, { code, retryable: !isFinal, cause });
}
