import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { findOperation, type Operation } from './github/description.ts';
import { answerGraphql, graphqlMistakes } from './github/graphql-answers.ts';
import { createFakeRepository, type FakeRepository } from './github/repository.ts';
import { type Answer, HANDLERS, refused, repositoryAnswer } from './github/rest-answers.ts';

/**
 * GitHub on loopback: real git repositories, pull requests in memory, and each request and answer held against
 * GitHub's own descriptions of its REST API and its GraphQL schema.
 */
export interface FakeGithub {
  readonly url: string;
  repository(name: string, files?: Readonly<Record<string, string | Uint8Array>>): Promise<FakeRepository>;
  /** What was asked, `GET /repos/{owner}/{repo}`, in order; GraphQL by its root field. */
  readonly asked: string[];
  /** What was against the descriptions, in words. Holds for both sides. */
  readonly mistakes: string[];
  /** Answers to be given in place of the next ones: status, headers, message. */
  readonly next: { readonly status: number; readonly headers?: Record<string, string>; readonly message: string }[];
  /** What apps said that they are. */
  readonly claims: string[];
  /** Recursive lists of trees end after so many entries. */
  truncateAbove: number | undefined;
  stop(): Promise<void>;
}

export const GITHUB_TOKEN = 'github-token-of-a-test';

export async function startGithub(): Promise<FakeGithub> {
  const repositories = new Map<string, FakeRepository>();
  const state = {
    repositories,
    asked: [] as string[],
    mistakes: [] as string[],
    next: [] as FakeGithub['next'],
    claims: [] as string[],
    truncateAbove: undefined as number | undefined,
  };
  let count = 0;
  const server = createServer((request, response) => {
    answer(request, response, state).catch((error) => {
      state.mistakes.push(`${request.method} ${request.url}: ${error}`);
      response.writeHead(500).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    ...{ asked: state.asked, mistakes: state.mistakes, next: state.next, claims: state.claims },
    get truncateAbove() {
      return state.truncateAbove;
    },
    set truncateAbove(most) {
      state.truncateAbove = most;
    },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async repository(name, files) {
      count += 1;
      const made = await createFakeRepository(count, name, files);
      repositories.set(name, made);
      return made;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      for (const { person } of repositories.values()) await person.remove();
    },
  };
}

type State = Pick<FakeGithub, 'asked' | 'mistakes' | 'next' | 'claims' | 'truncateAbove'> & {
  repositories: Map<string, FakeRepository>;
};

async function answer(request: IncomingMessage, response: ServerResponse, state: State): Promise<void> {
  const url = new URL(request.url!, 'http://github.example');
  const content = await buffer(request);
  const git = /^\/([^/]+\/[^/]+)\.git\/git-upload-pack$/.exec(url.pathname);
  if (git !== null) return uploadPack(state.repositories.get(git[1]!), request, content, response);
  const body = content.length === 0 ? undefined : JSON.parse(content.toString('utf8'));
  const isKnown = request.headers.authorization === `Bearer ${GITHUB_TOKEN}`;
  const planned = state.next.shift();
  if (planned !== undefined) return send(response, refused(planned.status, planned.message), planned.headers);
  if (url.pathname === '/api/graphql') {
    return send(response, isKnown ? await graphql(body, state) : refused(401, 'Bad credentials'));
  }
  const path = url.pathname.replace(/^\/api\/v3/, '');
  const isApp = /\/(installation|access_tokens)$/.test(path);
  if (isApp) state.claims.push(String(request.headers.authorization).replace('Bearer ', ''));
  else if (!isKnown) return send(response, refused(401, 'Bad credentials'));
  const operation = findOperation(request.method!, path);
  if (operation === undefined) throw new Error('there is no such operation');
  state.asked.push(operation.name);
  note(state, operation, 'asked', operation.requestMistakes(url.searchParams, body));
  const given = await rest(operation, { query: url.searchParams, body: body ?? {} }, state);
  const full = { status: given.status, body: operation.complete(given.status, given.body) };
  note(state, operation, `answered ${given.status}`, operation.responseMistakes(full.status, full.body));
  send(response, full);
}

function note({ mistakes }: State, { name }: Operation, what: string, found: readonly string[]): void {
  mistakes.push(...found.map((each) => `${name} ${what}: ${each}`));
}

async function graphql({ query, variables }: { query: string; variables: Record<string, unknown> }, state: State) {
  const field = /\{\s*(\w+)/.exec(query)?.[1] ?? '';
  state.asked.push(field);
  state.mistakes.push(...graphqlMistakes(query, variables).map((each) => `${field}: ${each}`));
  return { status: 200, body: await answerGraphql(query, variables, state.repositories) };
}

async function rest(
  operation: Operation,
  ask: { query: URLSearchParams; body: object },
  state: State,
): Promise<Answer> {
  const { owner, repo, org, username, installation_id } = operation.parameters;
  if (operation.name.endsWith('/installation')) return { status: 200, body: { id: 7 } };
  if (installation_id !== undefined) {
    const ends = new Date(Date.now() + 3_600_000).toISOString();
    return { status: 201, body: { token: GITHUB_TOKEN, expires_at: ends } };
  }
  if (org !== undefined || username !== undefined) {
    const mine = [...state.repositories.values()].filter(({ name }) => name.startsWith(`${org ?? username}/`));
    if (mine.length === 0) return refused(404, 'Not Found');
    return { status: 200, body: mine.map(repositoryAnswer) };
  }
  const repository = state.repositories.get(`${owner}/${repo}`);
  if (repository === undefined) return refused(404, 'Not Found');
  const given = await HANDLERS[operation.name]!(repository, operation.parameters, ask);
  const { tree } = (given.body ?? {}) as { tree?: unknown };
  const isLong = ask.query.has('recursive') && Array.isArray(tree) && tree.length > (state.truncateAbove ?? Infinity);
  return isLong ? { ...given, body: { ...(given.body as object), truncated: true, tree: tree.slice(0, 1) } } : given;
}

function send(response: ServerResponse, { status, body }: Answer, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined || status === 204 ? undefined : JSON.stringify(body));
}

/** git's own program answers, as `git http-backend` has it do. */
async function uploadPack(
  repository: FakeRepository | undefined,
  request: IncomingMessage,
  content: Buffer,
  response: ServerResponse,
): Promise<void> {
  const wanted = `Basic ${Buffer.from(`x-access-token:${GITHUB_TOKEN}`).toString('base64')}`;
  if (request.headers.authorization !== wanted || repository === undefined) {
    response.writeHead(repository === undefined ? 404 : 401).end('Repository not found.');
    return;
  }
  const env = { ...process.env, GIT_PROTOCOL: String(request.headers['git-protocol']) };
  const child = spawn('git', ['upload-pack', '--stateless-rpc', repository.person.path], { env });
  response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' });
  child.stdout.pipe(response);
  child.stdin.end(content);
  await once(child, 'close');
}
