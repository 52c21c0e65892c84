import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';

/** The other side of a channel: takes what is posted, and answers as it is told to. */
export interface ChannelServer {
  readonly url: string;
  readonly taken: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[];
  /** Of the next requests, one after the other; then again 200. */
  readonly answers: { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }[];
  /** Never answers, until it stops. */
  hang: boolean;
  stop(): Promise<void>;
}

export async function startChannelServer(): Promise<ChannelServer> {
  const taken: ChannelServer['taken'] = [];
  const answers: ChannelServer['answers'] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      taken.push({ path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      if (channel.hang) return;
      const { status, headers = {}, body = 'ok' } = answers.shift() ?? { status: 200 };
      response.writeHead(status, headers).end(body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const channel: ChannelServer = {
    ...{ url: `http://127.0.0.1:${address.port}/hook/s3cret`, taken, answers, hang: false },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return channel;
}
