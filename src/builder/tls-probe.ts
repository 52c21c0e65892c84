import { readFile } from 'node:fs/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import type { Connection } from './buildctl-args.ts';

const PROBE_MS = 3_000;

/** TLS alerts (RFC 8446, section 6) by which a daemon says what it thinks of a client's certificate. */
const ALERTS: readonly (readonly [pattern: RegExp, why: string])[] = [
  [
    /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE)/,
    'it asks for a certificate, and takes not this one',
  ],
  [/ALERT_UNKNOWN_CA|ALERT_CERTIFICATE_UNKNOWN/, 'the certificate is of an authority that it does not know'],
  [/ALERT_CERTIFICATE_EXPIRED/, 'the certificate has expired'],
  [/ALERT_CERTIFICATE_REVOKED/, 'the certificate was revoked'],
];

/**
 * Why a daemon hung up. buildctl only says that it did: with TLS 1.3 the refusal comes after the handshake, and is lost
 * when buildctl is still sending. Called after a failure, never before a build.
 * @returns undefined when certificates are not the reason, or that cannot be told
 */
export async function refusalOfTls({ address, tls }: Connection): Promise<string | undefined> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'tcp:' || url.port === '') return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const shown = await handshake({ host, port: Number(url.port), ...(await certificates(tls)) }).catch(() => undefined);
  if (shown === 'spoken') return tls === undefined ? 'it speaks TLS only' : undefined;
  const why = ALERTS.find(([pattern]) => pattern.test(shown ?? ''))?.[1];
  return why !== undefined && tls === undefined ? 'it asks for a certificate' : why;
}

/** The daemon's own certificate is buildctl's business: it says clearly what is wrong with that one. */
async function certificates(tls: Connection['tls']): Promise<ConnectionOptions> {
  const common = { rejectUnauthorized: false, ALPNProtocols: ['h2'] };
  if (tls === undefined) return common;
  return { ...common, cert: await readFile(tls.cert), key: await readFile(tls.key) };
}

/** @returns `spoken` when the daemon said something over TLS, else the code of its refusal */
async function handshake(options: ConnectionOptions): Promise<string | undefined> {
  const socket = connect(options);
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  socket.setTimeout(PROBE_MS, () => resolve(undefined));
  socket.once('data', () => resolve('spoken')); // a gRPC server says first what it can do
  socket.once('close', () => resolve(undefined));
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
