import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDownstreams } from '../../src/compose/forges.ts';
import { readConfig } from '../../src/config.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import { createGitlabForge, type GitlabOptions } from '../../src/forge/gitlab.ts';
import { withPullOptions } from '../../src/forge/pull-options.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { fleetFiles } from '../support/fleet-files.ts';
import { type FakeProject, setStatus } from '../support/gitlab/project.ts';
import { type FakeGitlab, GITLAB_READER, GITLAB_TOKEN, startGitlab } from '../support/gitlab.ts';

const branch = 'ingot/image/debian';
const pull = { branch, base: 'main', title: 'Bump', body: '' };
let gitlab: FakeGitlab;
let http: Http;
let slept: number[];
/** What happens while somebody waits. */
let meanwhile: () => Promise<void>;
let count = 0;

beforeAll(async () => {
  gitlab = await startGitlab();
  http = createHttp({ connectionsPerHost: 8, userAgent: 'test', timeoutMs: 30_000 });
});

afterAll(async () => {
  await http.close();
  await gitlab.stop();
  expect(gitlab.mistakes).toEqual([]);
});

beforeEach(() => {
  slept = [];
  meanwhile = async () => undefined;
  gitlab.asked.length = 0;
  Object.assign(gitlab, { mostPerPage: 100, isOld: false });
});

function forgeWith(options: Partial<GitlabOptions> = {}) {
  return createGitlabForge({
    url: gitlab.url,
    token: GITLAB_TOKEN,
    tokenName: 'GITLAB_TOKEN',
    identity: { name: 'ingot', email: 'ingot@localhost' },
    http,
    now: () => new Date('2026-08-22T02:00:00Z'),
    async sleep(ms) {
      slept.push(ms);
      await meanwhile();
    },
    ...options,
  });
}

/** A project of a group in a group, and what the adapter makes of it. */
async function open(options: Partial<GitlabOptions> = {}) {
  const name = `acme/web/team/life${++count}`;
  const project = await gitlab.project(name, { Dockerfile: 'FROM a:1\n' });
  const repository = forgeWith(options).repository(name);
  const propose = async () => {
    const { commit: onto } = await repository.head();
    const files = [{ path: 'Dockerfile', content: Buffer.from('FROM a:2\n') }];
    return (await repository.commit({ branch, onto, message: 'Bump', files })).commit;
  };
  return { project, repository, propose };
}

test("a push that GitLab's rules refuse is refused with its own words", async () => {
  const { project, propose } = await open();
  const rule = 'GitLab: You are not allowed to push code to protected branches on this project.';
  const hook = join(project.person.path, 'hooks', 'pre-receive');
  await writeFile(hook, `#!/bin/sh\necho "${rule}" >&2\nexit 1\n`, { mode: 0o755 });

  await expect(propose()).rejects.toMatchObject({
    code: 'unauthorised',
    message: expect.stringMatching(/does not take ingot.*: You are not allowed to push code to protected branches/),
  });
});

describe('merge requests', () => {
  test('one of a project in groups in groups has its branch taken away with the merge', async () => {
    const { project, repository, propose } = await open();
    await propose();
    const { number, url } = await repository.openPull(pull);

    expect(url).toContain('/acme/web/team/life');
    expect((await repository.merge(number)).state).toBe('merged');
    expect(await repository.branch(branch)).toBeUndefined();
    expect(await project.person.show('main', 'Dockerfile')).toBe('FROM a:2');
  });

  test('those of forks do not count, whatever their branch is called', async () => {
    const { repository, propose } = await open();
    await propose();
    await repository.openPull(pull);
    const theirs = { iid: 9, title: 'x', state: 'opened', web_url: 'x', created_at: 'x', updated_at: 'x' };
    const fork = {
      ...theirs,
      source_branch: branch,
      target_branch: 'main',
      source_project_id: 99,
      target_project_id: 1,
    };
    gitlab.next.push({ status: 200, body: [fork] });

    expect(await repository.pulls()).toEqual([]);
  });

  test('lists in pages are whole, though the links name another host', async () => {
    const { project, repository } = await open();
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await project.person.push(name, { [name]: name });
      await repository.openPull({ ...pull, branch: name });
    }
    gitlab.mostPerPage = 2;

    expect((await repository.pulls()).map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
  });

  test('of two that are open for one branch all the same, the lower number stays', async () => {
    const { project, repository, propose } = await open();
    project.settings.racy = true;
    await propose();
    await repository.openPull(pull);

    expect(await repository.openPull(pull)).toMatchObject({ number: 1, state: 'open' });
    expect((await repository.pulls({ state: 'open' })).map(({ number }) => number)).toEqual([1]);
  });

  test('what others wrote into a body gives GitLab no orders, and reads as it was written', async () => {
    const { repository, propose } = await open();
    await propose();
    const body = 'Changes:\n/close\n  /merge\nsee /usr/bin\n';
    const { number } = await repository.openPull({ ...pull, body });
    await repository.comment(number, '/close');

    expect(await repository.pulls()).toMatchObject([{ state: 'open', body }]);
    expect((await repository.comments(number)).map((comment) => comment.body)).toEqual(['/close']);
  });

  test('what GitLab itself notes of a change is no comment', async () => {
    const { project, repository, propose } = await open();
    await propose();
    const { number } = await repository.openPull(pull);
    await repository.updatePull(number, { title: 'New' });

    expect(project.merges[0]!.notes.map(({ system }) => system)).toEqual([true]);
    expect(await repository.comments(number)).toEqual([]);
  });

  test('whom GitLab leaves out without a word is said', async () => {
    const { project, repository, propose } = await open();
    project.settings.free = true;
    await propose();
    const opened = await repository.openPull({ ...pull, reviewers: ['ana', 'ben'], assignees: ['eve'] });

    expect(opened.troubles).toEqual([
      expect.stringMatching(/no review could be asked of all of ana, ben: the free edition takes one/),
      expect.stringMatching(/could not be assigned to all of eve/),
    ]);
  });
});

describe('merging by itself', () => {
  const openSelfMerging = async () => {
    const made = await open();
    made.project.settings.requiresPipeline = true;
    const commit = await made.propose();
    return { ...made, commit, openPull: () => withPullOptions(made.repository, { autoMerge: true }).openPull(pull) };
  };

  test('where pipelines must pass, it is merged once they did, also when they begin late', async () => {
    const { project, repository, commit, openPull } = await openSelfMerging();
    meanwhile = () => (slept.length === 3 ? setStatus(project, commit, 'build', 'running') : Promise.resolve());

    expect((await openPull()).troubles).toBeUndefined();
    expect(slept.length).toBeGreaterThanOrEqual(3);
    expect((await repository.pulls())[0]?.state).toBe('open');
    await setStatus(project, commit, 'build', 'success');
    expect((await repository.pulls())[0]?.state).toBe('merged');
  });

  test('where none begins, it is open, and why it is not merged by itself is said', async () => {
    const { openPull } = await openSelfMerging();

    expect(await openPull()).toMatchObject({ state: 'open', troubles: [expect.stringContaining('ci_must_pass')] });
    expect(slept.reduce((sum, ms) => sum + ms)).toBeLessThan(60_000);
  });

  test('where an approval is needed, it waits for that', async () => {
    const { project, repository, propose } = await open();
    project.settings.approvals = 1;
    await propose();
    const { number } = await repository.openPull(pull);

    expect(await repository.mergeWhenReady(number)).toBe(true);
    expect(project.merges[0]).toMatchObject({ autoMerge: true, state: 'opened' });
  });

  test('what was pushed since it was looked at is not merged', async () => {
    const { project, repository, propose } = await open();
    await propose();
    const { number } = await repository.openPull(pull);
    const stale = '0'.repeat(40);
    gitlab.next.push({
      status: 200,
      body: { ...(await answerOf(project)), sha: stale, detailed_merge_status: 'mergeable' },
    });
    project.merges[0]!.undecided = 0;

    await expect(repository.merge(number)).rejects.toMatchObject({ code: 'conflict', retryable: true });
    expect(project.merges[0]!.state).toBe('opened');
  });

  test('a user who may not merge is told so, and not that the token is bad', async () => {
    const { project, repository, propose } = await open();
    await propose();
    const { number } = await repository.openPull(pull);
    const mergeable = { ...(await answerOf(project)), detailed_merge_status: 'mergeable' };
    gitlab.next.push({ status: 200, body: mergeable }, { status: 401, body: { message: '401 Unauthorized' } });

    const merging = repository.merge(number);
    await expect(merging).rejects.toMatchObject({ code: 'unauthorised' });
    await expect(merging).rejects.toThrow(/may not merge into that branch; see "Allowed to merge"/);
  });
});

async function answerOf(project: FakeProject) {
  const headers = { authorization: `Bearer ${GITLAB_TOKEN}` };
  const path = `/api/v4/projects/${encodeURIComponent(project.name)}/merge_requests/1`;
  return (await fetch(`${gitlab.url}${path}`, { headers })).json() as Promise<object>;
}

describe('checks', () => {
  test('a job that may fail keeps nothing back', async () => {
    const { project, repository, propose } = await open();
    const commit = await propose();
    project.statuses.set(commit, [
      { name: 'build', status: 'success' },
      { name: 'lint', status: 'failed', mayFail: true },
    ]);

    expect(await repository.checks(commit)).toEqual({ state: 'passing', failing: [] });
  });

  test('a pipeline that could not begin has no jobs, and fails all the same', async () => {
    const { project, repository, propose } = await open();
    const commit = await propose();
    project.pipelines.set(commit, 'failed');

    expect(await repository.checks(commit)).toEqual({ state: 'failing', failing: ['pipeline 77'] });
  });
});

describe('files', () => {
  const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`d${index % 4}/f${index}`, `${index}`]));

  test('are listed in one request', async () => {
    const { project, repository } = await open();
    await project.person.push('main', many);

    expect(await repository.files((await repository.head()).commit)).toHaveLength(26);
    expect(gitlab.asked).toEqual(['GET /projects/:id/repository/tree?pagination&recursive&ref']);
  });

  test('of a server that is older are listed page by page', async () => {
    const { project, repository } = await open();
    await project.person.push('main', many);
    Object.assign(gitlab, { isOld: true, mostPerPage: 10 });

    const files = await repository.files((await repository.head()).commit);
    expect(files.map(({ path }) => path).sort()).toEqual(['Dockerfile', ...Object.keys(many)].sort());
  });
});

describe('limits', () => {
  test('429 with Retry-After is waited for, also by writes', async () => {
    const { repository, propose } = await open();
    await propose();
    const { number } = await repository.openPull(pull);
    gitlab.next.push({ status: 429, headers: { 'retry-after': '7' }, body: 'Retry later' });
    await repository.comment(number, 'One.');

    expect(slept).toEqual([7_000]);
    expect(await repository.comments(number)).toHaveLength(1);
  });

  test('without it, the end of the window is', async () => {
    const { repository } = await open();
    const reset = String(Date.parse('2026-08-22T02:00:20Z') / 1000);
    const headers = { 'ratelimit-remaining': '0', 'ratelimit-reset': reset };
    gitlab.next.push({ status: 429, headers, body: { message: { error: 'too many requests' } } });
    await repository.pulls();

    expect(slept).toEqual([20_000]);
  });

  test('an hour is said, and not waited for', async () => {
    const { repository } = await open();
    const body = { message: { error: 'This endpoint has been requested too many times.' } };
    gitlab.next.push({ status: 429, headers: { 'retry-after': '3600' }, body });
    const asking = repository.pulls();

    await expect(asking).rejects.toMatchObject({ code: 'rate-limited', retryable: true });
    await expect(asking).rejects.toThrow('requested too many times');
    expect(slept).toEqual([]);
  });
});

describe('credentials', () => {
  test('one that is not taken is named, with the scopes that it needs, by API and by git', async () => {
    const { repository } = await open({ token: 'wrong-token' });

    for (const ask of [repository.pulls, repository.head]) {
      const asking = ask();
      await expect(asking).rejects.toMatchObject({ code: 'unauthorised' });
      await expect(asking).rejects.toThrow(/the token of GITLAB_TOKEN .*; make one with api and write_repository/);
      await expect(asking).rejects.not.toThrow('wrong-token');
    }
  });

  test('the scope that one lacks is said', async () => {
    const { repository } = await open({ token: GITLAB_READER });
    const opening = repository.openPull(pull);

    await expect(opening).rejects.toMatchObject({ code: 'unauthorised' });
    await expect(opening).rejects.toThrow(/the token of GITLAB_TOKEN lacks the scope api; make one with/);
  });

  test('a role that may not do it is said', async () => {
    const { repository } = await open();
    gitlab.next.push({ status: 403, body: { message: '403 Forbidden' } });

    await expect(repository.removeBranch(branch)).rejects.toThrow(/it needs the role Developer/);
  });

  test('a project that is not there is not found', async () => {
    const repository = forgeWith().repository('acme/nowhere');

    await expect(repository.head()).rejects.toMatchObject({ code: 'not-found' });
    await expect(repository.pulls()).rejects.toMatchObject({ code: 'not-found' });
  });
});

test('a downstream of ingot.yaml is asked at its address with its token', async () => {
  const { project, propose } = await open();
  await propose();
  const downstream = { forge: 'gitlab', url: gitlab.url, repository: project.name, token: { env: 'T' } };
  const text = `fleet: acme\ndownstreams: ${JSON.stringify([downstream])}\n`;
  const image = { 'images/debian/image.yaml': 'line: "12"\nfrom: debian:12-slim\nuser: 10001\n' };
  const { settings } = parseFleet(fleetFiles({ ...image, 'ingot.yaml': text }));
  const config = await readConfig({ root: '/nowhere', env: { T: GITLAB_TOKEN } });
  const [repository] = await createDownstreams(config, settings, http).list();

  expect(repository!.name).toBe(project.name);
  expect([...(await repository!.look()).ours.keys()]).toEqual([branch]);
});

describe('discovery', () => {
  test('finds projects of a group and of all groups below it, page by page', async () => {
    const names = ['wide/shop-a', 'wide/web/shop-b', 'wide/web/api', 'wide/web/deep/shop-c', 'wide/old/shop-d'];
    const made = await Promise.all(names.map((name) => gitlab.project(name)));
    for (const { settings } of made) settings.topics.push('golden');
    made.at(-1)!.settings.archived = true;
    gitlab.mostPerPage = 2;
    const find = (which: object) => forgeWith().discover({ owner: 'wide', ...which });

    expect((await find({ topics: ['golden'] })).toSorted()).toEqual(names.slice(0, 4).toSorted());
    expect((await find({ names: ['shop-*'], archived: true })).length).toBe(4);
    expect((await find({ names: ['web/*', '!web/deep/*'] })).toSorted()).toEqual(['wide/web/api', 'wide/web/shop-b']);
    expect(await forgeWith().discover({ owner: 'wide/web/deep' })).toEqual(['wide/web/deep/shop-c']);
  });

  test('finds those of a user, and says when there is neither', async () => {
    await gitlab.project('people/own');

    expect(await forgeWith().discover({ owner: 'people' })).toEqual(['people/own']);
    await expect(forgeWith().discover({ owner: 'nobody' })).rejects.toMatchObject({ code: 'not-found' });
  });
});
