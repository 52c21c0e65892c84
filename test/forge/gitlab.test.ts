import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withPullOptions } from '../../src/forge/pull-options.ts';
import { type FakeProject, setStatus } from '../support/gitlab/project.ts';
import { GITLAB_TOKEN } from '../support/gitlab.ts';
import { useGitlab } from '../support/gitlab-scene.ts';

const branch = 'ingot/image/debian';
const pull = { branch, base: 'main', title: 'Bump', body: '' };
const scene = useGitlab();
const { open } = scene;

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
    scene.gitlab.next.push({ status: 200, body: [fork] });

    expect(await repository.pulls()).toEqual([]);
  });

  test('lists in pages are whole, though the links name another host', async () => {
    const { project, repository } = await open();
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await project.person.push(name, { [name]: name });
      await repository.openPull({ ...pull, branch: name });
    }
    scene.gitlab.mostPerPage = 2;

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
    scene.meanwhile = () =>
      scene.slept.length === 3 ? setStatus(project, commit, 'build', 'running') : Promise.resolve();

    expect((await openPull()).troubles).toBeUndefined();
    expect(scene.slept.length).toBeGreaterThanOrEqual(3);
    expect((await repository.pulls())[0]?.state).toBe('open');
    await setStatus(project, commit, 'build', 'success');
    expect((await repository.pulls())[0]?.state).toBe('merged');
  });

  test('where none begins, it is open, and why it is not merged by itself is said', async () => {
    const { openPull } = await openSelfMerging();

    expect(await openPull()).toMatchObject({ state: 'open', troubles: [expect.stringContaining('ci_must_pass')] });
    expect(scene.slept.reduce((sum, ms) => sum + ms)).toBeLessThan(60_000);
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
    scene.gitlab.next.push({
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
    scene.gitlab.next.push({ status: 200, body: mergeable }, { status: 401, body: { message: '401 Unauthorized' } });

    const merging = repository.merge(number);
    await expect(merging).rejects.toMatchObject({ code: 'unauthorised' });
    await expect(merging).rejects.toThrow(/may not merge into that branch; see "Allowed to merge"/);
  });
});

async function answerOf(project: FakeProject) {
  const headers = { authorization: `Bearer ${GITLAB_TOKEN}` };
  const path = `/api/v4/projects/${encodeURIComponent(project.name)}/merge_requests/1`;
  return (await fetch(`${scene.gitlab.url}${path}`, { headers })).json() as Promise<object>;
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
