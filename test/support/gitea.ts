import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';
import { freePort } from './free-port.ts';
import { createRemoteRepository, type TestRepository } from './git-repository.ts';

const TOOLS = join(import.meta.dirname, '..', '..', '.tools');
const BUILT = join(TOOLS, 'bin', 'gitea');
const PROGRAM = existsSync(BUILT) ? BUILT : 'gitea';
const SHARE = join(TOOLS, 'share', 'gitea');
const ANSWER_MS = 5_000;
const ADMIN = { name: 'ana', password: 'ana-has-a-long-password' };

/** A real Gitea with a database of its own; `ana` administers it, `bot` is whom ingot acts as. */
export interface TestGitea {
  readonly url: string;
  /** A token of `bot` that may do all that ingot does. */
  readonly token: string;
  /** One with less: `read:repository`. */
  tokenWith(...scopes: string[]): Promise<string>;
  /** The API as `ana`; throws for what is not 2xx. */
  api(method: string, path: string, body?: unknown): Promise<unknown>;
  /** A new repository of the organisation `acme` that `bot` may write to, and ana's clone of it. */
  repository(name: string, files?: Readonly<Record<string, string | Uint8Array>>): Promise<TestRepository>;
  /** As ana does it by hand: once Gitea has looked whether it merges. */
  merge(repository: string, number: number): Promise<void>;
  stop(): Promise<void>;
}

/** Ends with this process, however that ends. */
export async function startGitea(): Promise<TestGitea> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-gitea-'));
  const config = join(folder, 'app.ini');
  await mkdir(join(folder, 'custom'));
  await writeFile(config, settings(folder));
  const env = { GITEA_WORK_DIR: folder, GITEA_CUSTOM: join(folder, 'custom') };
  const gitea = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await exec(PROGRAM, [...args, '-c', config], { env });
    if (exitCode !== 0) throw new Error(`gitea ${args.join(' ')}: ${stderr}${stdout}`);
  };
  await gitea('migrate');
  const user = ['--username', ADMIN.name, '--password', ADMIN.password, '--email', 'ana@example.org'];
  await gitea('admin', 'user', 'create', ...user, '--admin', '--must-change-password=false');
  const port = await freePort(); // now, and not before: others look for one as well
  const url = `http://127.0.0.1:${port}`;
  await appendFile(config, `[server]\nHTTP_PORT = ${port}\nROOT_URL = ${url}/\n`);
  const args = ['--pdeathsig', 'KILL', '--', PROGRAM, 'web', '-c', config];
  const child = spawn('setpriv', args, { stdio: 'ignore', env: { ...process.env, ...env } });
  const stop = async () => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    if (child.exitCode === null) await exited;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  await untilAnswers(`${url}/api/v1/version`, child);
  return { url, stop, ...(await usersSide(url)) };
}

async function usersSide(url: string): Promise<Omit<TestGitea, 'url' | 'stop'>> {
  const call = async (user: string, method: string, path: string, body?: unknown) => {
    const authorization = `Basic ${Buffer.from(`${user}:${ADMIN.password}`).toString('base64')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api/v1${path}`, { method, headers, body: body ? JSON.stringify(body) : null });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const api: TestGitea['api'] = (method, path, body) => call(ADMIN.name, method, path, body);
  let count = 0;
  const tokenWith = async (...scopes: string[]) => {
    const { sha1 } = await call('bot', 'POST', '/users/bot/tokens', { name: `token ${++count}`, scopes });
    return sha1 as string;
  };
  const bot = { username: 'bot', password: ADMIN.password, email: 'bot@example.org', must_change_password: false };
  await api('POST', '/admin/users', bot);
  await api('POST', '/orgs', { username: 'acme', visibility: 'private' });
  const team = { name: 'bots', permission: 'write', units_map: UNITS, includes_all_repositories: true };
  const { id } = (await api('POST', '/orgs/acme/teams', team)) as { id: number };
  await api('PUT', `/teams/${id}/members/bot`);
  return {
    api,
    tokenWith,
    token: await tokenWith('write:repository', 'write:issue', 'read:organization', 'read:user'),
    async merge(repository, number) {
      const isEarly = (error: Error) => {
        if (error.message.includes('Please try again later')) return false;
        throw error;
      };
      const path = `/repos/${repository}/pulls/${number}/merge`;
      await until(() => api('POST', path, { Do: 'merge' }).then(() => true, isEarly));
    },
    async repository(name, files) {
      await api('POST', '/orgs/acme/repos', { name, default_branch: 'main', private: true });
      const remote = new URL(`${url}/acme/${name}.git`);
      Object.assign(remote, { username: ADMIN.name, password: ADMIN.password });
      const person = await createRemoteRepository(remote.href, files);
      await until(async () => !((await api('GET', `/repos/acme/${name}`)) as { empty: boolean }).empty); // it says so late
      return person;
    },
  };
}

const UNITS = { 'repo.code': 'write', 'repo.issues': 'write', 'repo.pulls': 'write' };

function settings(folder: string): string {
  return `APP_NAME = test
RUN_MODE = prod
WORK_PATH = ${folder}
${process.getuid?.() === 0 ? 'RUN_USER = root\nI_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true' : ''}
[server]
PROTOCOL = http
HTTP_ADDR = 127.0.0.1
DISABLE_SSH = true
OFFLINE_MODE = true
${existsSync(SHARE) ? `STATIC_ROOT_PATH = ${SHARE}` : ''}
[database]
DB_TYPE = sqlite3
PATH = ${join(folder, 'gitea.db')}
[security]
INSTALL_LOCK = true
SECRET_KEY = a-secret-of-this-test-alone
INTERNAL_TOKEN = another-secret-of-this-test-alone
PASSWORD_HASH_ALGO = pbkdf2$1$8
[log]
MODE = console
LEVEL = Error
[indexer]
ISSUE_INDEXER_TYPE = db
[cron]
ENABLED = false
[actions]
ENABLED = false
[mailer]
ENABLED = false
[session]
PROVIDER = memory
[repository]
DISABLE_DOWNLOAD_SOURCE_ARCHIVES = true
`;
}

async function untilAnswers(url: string, child: ReturnType<typeof spawn>): Promise<void> {
  await until(async () => {
    const end = child.exitCode ?? child.signalCode;
    if (end !== null) throw new Error(`gitea ended with ${end}`);
    // Whoever else has the port may never answer
    const signal = AbortSignal.timeout(ANSWER_MS);
    return (await fetch(url, { signal }).catch(() => undefined))?.ok === true;
  });
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 50));
}
