import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';

/** git's own program for servers (git-http-backend, CGI) answers for a bare repository: clones, fetches, pushes. */
export async function answerGit(
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  asked: { readonly action: string; readonly query: string; readonly content: Buffer },
): Promise<void> {
  const env = {
    PATH: process.env.PATH,
    GIT_PROJECT_ROOT: dirname(repository),
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${basename(repository)}/${asked.action}`,
    QUERY_STRING: asked.query,
    REQUEST_METHOD: request.method,
    REMOTE_USER: 'ingot',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    CONTENT_LENGTH: String(asked.content.length),
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
  };
  const child = spawn('git', ['http-backend'], { env });
  child.stdin.on('error', () => undefined); // it may have said all before it has read all
  child.stdin.end(asked.content);
  const [output] = await Promise.all([buffer(child.stdout), once(child, 'close')]);
  const end = output.indexOf('\r\n\r\n');
  const lines = output.toString('latin1', 0, end).split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
  const { Status: status = '200', ...rest } = headers;
  response.writeHead(Number(status.split(' ')[0]), rest).end(output.subarray(end + 4));
}
