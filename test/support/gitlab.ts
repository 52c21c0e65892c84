import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { projectAnswer } from './gitlab/answers.ts';
import { answerGit } from './gitlab/git-http.ts';
import { createFakeProject, type FakeProject, settle } from './gitlab/project.ts';
import { type Answer, ROUTES, type Route, refused, usersAnswer } from './gitlab/routes.ts';

/**
 * GitLab on loopback: real git repositories by git's own server program, merge requests in memory. Answers are of the
 * types that gitbeaker publishes, and parameters that GitLab does not declare are mistakes.
 */
export interface FakeGitlab {
  readonly url: string;
  project(name: string, files?: Readonly<Record<string, string | Uint8Array>>): Promise<FakeProject>;
  /** What was asked, `GET /projects/:id?from&to`, with the names of parameters and, after a space, of the body. */
  readonly asked: string[];
  readonly mistakes: string[];
  /** Answers to be given in place of the next ones. */
  readonly next: { readonly status: number; readonly headers?: Record<string, string>; readonly body: unknown }[];
  /** Lists have no more than this on a page. */
  mostPerPage: number;
  /** It is older than `pagination=none`. */
  isOld: boolean;
  stop(): Promise<void>;
}

export const GITLAB_TOKEN = 'gitlab-token-of-a-test';
/** One with the scope `read_api`. */
export const GITLAB_READER = 'gitlab-reader-of-a-test';

export async function startGitlab(): Promise<FakeGitlab> {
  const projects = new Map<string, FakeProject>();
  const server = createServer((request, response) => {
    answer(request, response, { gitlab, projects }).catch((error) => {
      gitlab.mistakes.push(`${request.method} ${request.url}: ${error}`);
      response.writeHead(500).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gitlab: FakeGitlab = {
    ...{ asked: [], mistakes: [], next: [], mostPerPage: 100, isOld: false },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async project(name, files) {
      const made = await createFakeProject(projects.size + 1, name, files);
      projects.set(name, made);
      return made;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      for (const { person } of projects.values()) await person.remove();
    },
  };
  return gitlab;
}

interface World {
  readonly gitlab: FakeGitlab;
  readonly projects: ReadonlyMap<string, FakeProject>;
}

async function answer(request: IncomingMessage, response: ServerResponse, world: World): Promise<void> {
  const url = new URL(request.url!, 'http://gitlab.example');
  const content = await buffer(request);
  const git = /^\/(.+)\.git\/(info\/refs|git-(?:upload|receive)-pack)$/.exec(url.pathname);
  if (git !== null) {
    const project = world.projects.get(git[1]!);
    const isKnown = request.headers.authorization === `Basic ${btoa(`oauth2:${GITLAB_TOKEN}`)}`;
    if (!isKnown) return void response.writeHead(401).end('HTTP Basic: Access denied');
    if (project === undefined) return void response.writeHead(404).end('The project you were looking for');
    return answerGit(request, response, project.person.path, { action: git[2]!, query: url.search.slice(1), content });
  }
  const planned = world.gitlab.next.shift();
  if (planned !== undefined) return send(response, planned, planned.headers);
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (token !== GITLAB_TOKEN && token !== GITLAB_READER) return send(response, refused(401, '401 Unauthorized'));
  if (token === GITLAB_READER && request.method !== 'GET') return send(response, insufficient());
  const body = content.length === 0 ? {} : JSON.parse(content.toString('utf8'));
  const given = await answerApi(request.method!, url, body, world);
  const page = given.status === 200 && Array.isArray(given.body) ? paged(given.body, url, world.gitlab) : undefined;
  send(response, page ?? given, page?.headers);
}

/** As the guard of GitLab's API says it (RFC 6750, 3.1). */
function insufficient(): Answer {
  const error_description = 'The request requires higher privileges than provided by the access token.';
  return { status: 403, body: { error: 'insufficient_scope', error_description, scope: 'api' } };
}

async function answerApi(method: string, url: URL, body: object, { gitlab, projects }: World): Promise<Answer> {
  const segments = url.pathname.replace('/api/v4/', '').split('/').map(decodeURIComponent);
  const [kind, owner = ''] = segments;
  const names = (keys: Iterable<string>) => [...keys].sort().join('&');
  const note = (route: string) => {
    const [query, written] = [names(url.searchParams.keys()), names(Object.keys(body))];
    gitlab.asked.push(`${method} ${route}${query && `?${query}`}${written && ` ${written}`}`);
  };
  if (kind === 'users' && segments.length === 1) {
    note('/users');
    return { status: 200, body: usersAnswer(url.searchParams.get('username')) };
  }
  if (kind === 'users' || kind === 'groups') {
    note(`/${kind}/:id/projects`);
    return ownedBy(kind, owner, projects);
  }
  const [path, route, parameters] = findRoute(method, segments) ?? [];
  if (route === undefined) throw new Error('there is no such operation');
  note(path!);
  const strange = [...url.searchParams.keys(), ...Object.keys(body)].filter((key) => !route.takes.includes(key));
  gitlab.mistakes.push(...strange.map((key) => `${method} ${path}: there is no parameter ${key}`));
  if (gitlab.isOld && url.searchParams.get('pagination') === 'none')
    return { status: 400, body: { error: 'pagination does not have a valid value' } };
  const project = projects.get(owner);
  if (project === undefined) return refused(404, '404 Project Not Found');
  await settle(project);
  return route.answer(project, { parameters: parameters!, query: url.searchParams, body });
}

function findRoute(method: string, segments: readonly string[]): [string, Route, string[]] | undefined {
  for (const [name, route] of Object.entries(ROUTES)) {
    const [verb, path = ''] = name.split(' ');
    const parts = path.slice(1).split('/');
    const fits = parts.length === segments.length && parts.every((p, i) => p.startsWith(':') || p === segments[i]);
    if (verb !== method || !fits) continue;
    return [path, route, segments.filter((_, index) => index > 1 && parts[index]!.startsWith(':'))];
  }
  return undefined;
}

/** Names with three parts are of groups, `people/…` are of a user. */
function ownedBy(kind: string, owner: string, projects: World['projects']): Answer {
  const isUser = owner === 'people';
  const mine = [...projects.values()].filter(({ name }) => name.startsWith(`${owner}/`));
  if (isUser !== (kind === 'users') || mine.length === 0) return refused(404, '404 Group Not Found');
  return { status: 200, body: mine.map(projectAnswer) };
}

/** Links name the address that GitLab believes to have, which need not be the one that was asked. */
function paged(all: readonly unknown[], { pathname, searchParams }: URL, { mostPerPage }: FakeGitlab) {
  if (searchParams.get('pagination') === 'none') return { status: 200, body: all, headers: {} };
  const isKeyset = searchParams.get('pagination') === 'keyset';
  const [key, first] = isKeyset ? ['page_token', '0'] : ['page', '1'];
  const size = Math.min(mostPerPage, Number(searchParams.get('per_page') ?? 20));
  const at = Number(searchParams.get(key!) ?? first);
  const from = isKeyset ? at : (at - 1) * size;
  const query = new URLSearchParams(searchParams);
  query.set(key!, String(isKeyset ? from + size : at + 1));
  const link = `<https://gitlab.inside.example${pathname}?${query}>; rel="next"`;
  const headers: Record<string, string> = from + size < all.length ? { link } : {};
  return { status: 200, body: all.slice(from, from + size), headers };
}

function send(response: ServerResponse, { status, body }: Answer, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(
    body === undefined || status === 204 ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  );
}
