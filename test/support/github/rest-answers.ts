import { headOf, text } from '../fake-git.ts';
import type { FakePull, FakeRepository } from './repository.ts';
import { loginOf, mergePull, settle, type TreeItem, writeBlob, writeCommit, writeTree } from './repository.ts';

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
type Body = Record<string, any>;
type Handler = (
  repository: FakeRepository,
  parameters: Readonly<Record<string, string>>,
  ask: { query: URLSearchParams; body: Body },
) => Promise<Answer>;

/** Names that are accounts; GitHub refuses others. */
const PEOPLE = ['ana', 'ben'];

export function refused(status: number, message: string): Answer {
  return {
    status,
    body: { message, documentation_url: 'https://docs.github.com/rest', ...(status === 422 && { errors: [] }) },
  };
}

const at = (repository: FakeRepository, number: string | undefined) =>
  repository.pulls.find((pull) => pull.number === Number(number));

/** What the description says of it is laid below; see server.ts. */
export function pullAnswer({ id, name }: FakeRepository, pull: FakePull): Body {
  const repo = { id, full_name: name };
  return {
    ...{ number: pull.number, node_id: `PR_${id}_${pull.number}`, title: pull.title, body: pull.body },
    ...{ state: pull.state, draft: pull.draft, merged_at: pull.mergedAt ?? null },
    html_url: `https://github.example/${name}/pull/${pull.number}`,
    ...{ created_at: pull.createdAt, updated_at: pull.updatedAt },
    labels: pull.labels.map((label) => ({
      id: 1,
      node_id: 'L',
      url: 'https://github.example/',
      name: label,
      description: '',
      color: 'ededed',
      default: false,
    })),
    head: { ref: pull.head, sha: pull.sha, label: `acme:${pull.head}`, repo },
    base: { ref: pull.base, sha: pull.sha, label: `acme:${pull.base}`, repo },
  };
}

export function repositoryAnswer({ id, name, settings }: FakeRepository): Body {
  return {
    ...{ id, node_id: `R_${id}`, name: name.split('/')[1], full_name: name, private: true, fork: false },
    ...{ archived: settings.archived, disabled: false, topics: settings.topics, allow_merge_commit: true },
    ...{ default_branch: 'main', mirror_url: null },
  };
}

export const HANDLERS: Readonly<Record<string, Handler>> = {
  'GET /repos/{owner}/{repo}': async (repository) => ({ status: 200, body: repositoryAnswer(repository) }),
  'GET /repos/{owner}/{repo}/git/trees/{tree_sha}': async (repository, { tree_sha }, { query }) => {
    const args = ['ls-tree', '-z', '-l', '-t', ...(query.get('recursive') ? ['-r'] : []), tree_sha!];
    const lines = (await repository.git(args)).toString('utf8').split('\0').filter(Boolean);
    const tree = lines.map((line) => {
      const [, facts = '', path = ''] = /^([^\t]*)\t(.*)$/s.exec(line) ?? [];
      const [mode = '', type = '', sha = '', size = '-'] = facts.split(/ +/);
      return { path, mode, type, sha, ...(size !== '-' && { size: Number(size) }), url: 'https://github.example/' };
    });
    return { status: 200, body: { sha: tree_sha, url: 'https://github.example/', truncated: false, tree } };
  },
  'POST /repos/{owner}/{repo}/git/trees': async (repository, _, { body }) => {
    const sha = await writeTree(repository, body.base_tree, body.tree as TreeItem[]);
    return { status: 201, body: { sha, url: 'https://github.example/', truncated: false, tree: [] } };
  },
  'GET /repos/{owner}/{repo}/git/blobs/{file_sha}': async (repository, { file_sha }) => {
    const content = await repository.git(['cat-file', 'blob', file_sha!]);
    return {
      status: 200,
      body: {
        sha: file_sha,
        size: content.length,
        content: content.toString('base64').replaceAll(/.{60}/g, '$&\n'),
        encoding: 'base64',
      },
    };
  },
  'POST /repos/{owner}/{repo}/git/blobs': async (repository, _, { body }) => {
    const content = Buffer.from(body.content, body.encoding === 'base64' ? 'base64' : 'utf8');
    return { status: 201, body: { sha: await writeBlob(repository, content), url: 'https://github.example/' } };
  },
  'POST /repos/{owner}/{repo}/git/commits': async (repository, _, { body }) => {
    const sha = await writeCommit(repository, body as { tree: string; parents: string[]; message: string });
    return { status: 201, body: await commitAnswer(repository, sha) };
  },
  'GET /repos/{owner}/{repo}/git/commits/{commit_sha}': async (repository, { commit_sha }) => ({
    status: 200,
    body: await commitAnswer(repository, commit_sha!),
  }),
  'GET /repos/{owner}/{repo}/git/ref/{ref}': async (repository, { ref }) => {
    const sha = await headOf(repository, ref!.replace('heads/', ''));
    if (sha === undefined) return refused(404, 'Not Found');
    return {
      status: 200,
      body: { ref: `refs/${ref}`, object: { type: 'commit', sha, url: 'https://github.example/' } },
    };
  },
  'DELETE /repos/{owner}/{repo}/git/refs/{ref}': async (repository, { ref }) => {
    if ((await headOf(repository, ref!.replace('heads/', ''))) === undefined)
      return refused(422, 'Reference does not exist');
    await repository.git(['update-ref', '-d', `refs/${ref}`]);
    await settle(repository);
    return { status: 204 };
  },
  'GET /repos/{owner}/{repo}/compare/{basehead}': async (repository, { basehead }) => {
    const [base = '', head = ''] = basehead!.split('...');
    if ((await headOf(repository, head)) === undefined) return refused(404, 'Not Found');
    const log = await text(
      repository,
      'log',
      '--format=%H%x09%an%x09%ae%x09%cn%x09%ce',
      `refs/heads/${base}..refs/heads/${head}`,
    );
    const commits = log
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [sha, an, ae, cn, ce] = line.split('\t');
        const commit = { author: { name: an, email: ae }, committer: { name: cn, email: ce } };
        return { sha, commit, author: { login: loginOf(ae!) }, committer: { login: loginOf(ce!) } };
      });
    return { status: 200, body: { commits, total_commits: commits.length } };
  },
  'GET /repos/{owner}/{repo}/commits/{ref}/status': async (repository, { ref }) => {
    const statuses = (repository.statuses.get(ref!) ?? []).map((each) => ({ ...each }));
    return { status: 200, body: { sha: ref, statuses, total_count: statuses.length } };
  },
  'GET /repos/{owner}/{repo}/commits/{ref}/check-runs': async () => ({
    status: 200,
    body: { total_count: 0, check_runs: [] },
  }),
  'GET /repos/{owner}/{repo}/pulls': async (repository, _, { query }) => {
    await settle(repository);
    const [, branch] = query.get('head')?.split(/:(.*)/s) ?? [];
    const found = repository.pulls.filter(
      (pull) =>
        (query.get('state') !== 'open' || pull.state === 'open') && (branch === undefined || pull.head === branch),
    );
    return { status: 200, body: found.reverse().map((pull) => pullAnswer(repository, pull)) };
  },
  'POST /repos/{owner}/{repo}/pulls': async (repository, _, { body }) => {
    await settle(repository);
    const sha = await headOf(repository, body.head);
    if (sha === undefined) return refused(422, 'Validation Failed');
    const same = (pull: FakePull) => pull.state === 'open' && pull.head === body.head && pull.base === body.base;
    if (repository.pulls.some(same)) return refused(422, 'A pull request already exists for acme:x.');
    const now = new Date().toISOString();
    const pull: FakePull = {
      ...{
        number: repository.pulls.length + 1,
        head: body.head,
        base: body.base,
        title: body.title,
        body: body.body ?? '',
      },
      ...{ state: 'open', draft: body.draft ?? false, sha, createdAt: now, updatedAt: now },
      ...{ labels: [], reviewers: [], assignees: [], comments: [] },
    };
    repository.pulls.push(pull);
    return { status: 201, body: pullAnswer(repository, pull) };
  },
  'GET /repos/{owner}/{repo}/pulls/{pull_number}': async (repository, { pull_number }) => {
    await settle(repository);
    const pull = at(repository, pull_number);
    return pull === undefined ? refused(404, 'Not Found') : { status: 200, body: pullAnswer(repository, pull) };
  },
  'PATCH /repos/{owner}/{repo}/pulls/{pull_number}': async (repository, { pull_number }, { body }) => {
    const pull = at(repository, pull_number)!;
    if (body.state === 'open' && (await headOf(repository, pull.head)) === undefined)
      return refused(422, 'state cannot be changed. The branch was deleted.');
    Object.assign(pull, body, { updatedAt: new Date().toISOString() });
    return { status: 200, body: pullAnswer(repository, pull) };
  },
  'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge': async (repository, { pull_number }) => {
    const sha = await mergePull(repository, at(repository, pull_number)!);
    if (sha === undefined) return refused(405, 'Pull Request is not mergeable');
    return { status: 200, body: { sha, merged: true, message: 'Pull Request successfully merged' } };
  },
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers': async (
    repository,
    { pull_number },
    { body },
  ) => {
    const strangers = (body.reviewers ?? []).filter((name: string) => !PEOPLE.includes(name));
    if (strangers.length > 0) return refused(422, 'Reviews may only be requested from collaborators.');
    const pull = at(repository, pull_number)!;
    pull.reviewers.push(...(body.reviewers ?? []));
    return { status: 201, body: pullAnswer(repository, pull) };
  },
  'POST /repos/{owner}/{repo}/issues/{issue_number}/labels': async (repository, { issue_number }, { body }) => {
    const pull = at(repository, issue_number)!;
    pull.labels.push(...(body.labels as string[]));
    return { status: 200, body: pullAnswer(repository, pull).labels };
  },
  'POST /repos/{owner}/{repo}/issues/{issue_number}/assignees': async (repository, { issue_number }, { body }) => {
    // GitHub leaves out whom it does not know, without a word
    at(repository, issue_number)!.assignees.push(...body.assignees.filter((name: string) => PEOPLE.includes(name)));
    return { status: 201, body: {} };
  },
  'GET /repos/{owner}/{repo}/issues/{issue_number}/comments': async (repository, { issue_number }) => ({
    status: 200,
    body: at(repository, issue_number)!.comments.map((each) => ({
      body: each.body,
      created_at: each.at,
      user: { login: each.login },
    })),
  }),
  'POST /repos/{owner}/{repo}/issues/{issue_number}/comments': async (repository, { issue_number }, { body }) => {
    const comment = { login: 'ingot-bot', body: body.body as string, at: new Date().toISOString() };
    at(repository, issue_number)!.comments.push(comment);
    return { status: 201, body: { body: comment.body, created_at: comment.at } };
  },
};

async function commitAnswer(repository: FakeRepository, sha: string): Promise<Body> {
  const [tree, parents = ''] = (await text(repository, 'show', '-s', '--format=%T%n%P', sha)).split('\n');
  return {
    sha,
    tree: { sha: tree, url: 'https://github.example/' },
    parents: parents
      .split(' ')
      .filter(Boolean)
      .map((parent) => ({ sha: parent, url: 'https://github.example/', html_url: 'https://github.example/' })),
  };
}
