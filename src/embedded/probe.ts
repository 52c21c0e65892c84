import { connect } from 'node:net';

export interface Probe {
  /** A socket's path, or a port of 127.0.0.1. */
  readonly to: { readonly path: string } | { readonly port: number };
  readonly send: string;
  /** How the answer begins when the server is ready. */
  readonly expect: RegExp;
}

const ANSWER_MS = 2_000;

/** Asks a server one line and looks at how its answer begins. Anything else than the expected answer is "not yet". */
export function answers({ to, send, expect }: Probe): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect('path' in to ? { path: to.path } : { host: '127.0.0.1', port: to.port });
    const end = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    let answer = '';
    socket.setTimeout(ANSWER_MS, () => end(false));
    socket.once('connect', () => socket.write(send));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.includes('\r\n')) end(expect.test(answer));
    });
  });
}
