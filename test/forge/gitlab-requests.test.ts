import { Gitlab } from '@gitbeaker/rest';
import { expect, test } from 'vitest';
import { createGitlabForge } from '../../src/forge/gitlab.ts';
import { createHttp } from '../../src/lib/http.ts';
import { setStatus } from '../support/gitlab/project.ts';
import { type FakeGitlab, GITLAB_TOKEN, startGitlab } from '../support/gitlab.ts';

const branch = 'ingot/image/debian';
const name = 'acme/web/shop';

/** A whole life by the adapter. */
async function askAsWeDo(gitlab: FakeGitlab): Promise<void> {
  const http = createHttp({ connectionsPerHost: 8, userAgent: 'test', timeoutMs: 30_000 });
  const [tokenName, identity] = ['GITLAB_TOKEN', { name: 'ingot', email: 'ingot@localhost' }];
  const options = { url: gitlab.url, token: GITLAB_TOKEN, tokenName, identity, http };
  const forge = createGitlabForge({ ...options, now: () => new Date(), sleep: async () => undefined });
  const project = await gitlab.project(name, { Dockerfile: 'FROM a:1\n' });
  const repository = forge.repository(name);
  const { commit: onto } = await repository.head();
  const [file] = await repository.files(onto);
  await repository.read(file!);
  const files = [{ path: 'Dockerfile', content: Buffer.from('FROM a:2\n') }];
  const { commit } = await repository.commit({ branch, onto, message: 'Bump', files });
  const people = { reviewers: ['ana'], assignees: ['ben'], labels: ['golden'] };
  const { number } = await repository.openPull({ branch, base: 'main', title: 'Bump', body: 'x', ...people });
  await repository.updatePull(number, { title: 'New', body: 'y' });
  await repository.updatePull(number, { state: 'closed' });
  await repository.updatePull(number, { state: 'open' });
  await repository.comment(number, 'One.');
  await repository.comments(number);
  await repository.isOurs(branch, 'main');
  await repository.pulls();
  await repository.pulls({ branch, state: 'open' });
  await repository.checks(commit);
  await setStatus(project, commit, 'build', 'running');
  Object.assign(project.settings, { requiresPipeline: true });
  await repository.mergeWhenReady(number);
  Object.assign(project.settings, { requiresPipeline: false });
  await project.person.push('gone', { x: 'x' });
  await repository.openPull({ branch: 'gone', base: 'main', title: 'x', body: 'x' });
  await repository.merge(2);
  await project.person.push('other', { y: 'y' });
  await repository.removeBranch('other');
  Object.assign(project.settings, { approvals: 1 });
  await repository.mergeWhenReady(1);
  await gitlab.project('people/own');
  await forge.discover({ owner: 'acme' });
  await forge.discover({ owner: 'people' });
  await http.close();
}

/** The same by gitbeaker, a client that others wrote and use. Its types take no parameter that it does not know. */
async function askAsGitbeakerDoes(gitlab: FakeGitlab): Promise<void> {
  const api = new Gitlab({ host: gitlab.url, oauthToken: GITLAB_TOKEN });
  const project = await gitlab.project(name, { Dockerfile: 'FROM a:1\n' });
  const commit = await project.person.push(branch, { Dockerfile: 'FROM a:2\n' });
  const [paged, one] = [{ perPage: 100, page: 1, maxPages: 1 } as const, { perPage: 1, maxPages: 1 } as const];
  await api.Projects.show(name);
  const keyset = { pagination: 'keyset', perPage: 100 } as const;
  const [file] = await api.Repositories.allRepositoryTrees(name, { ref: commit, recursive: true, ...keyset });
  await api.Repositories.showBlob(name, file!.id);
  await api.Users.all({ username: 'ana' });
  const labels = { description: 'x', removeSourceBranch: true };
  const people = { labels: 'golden', reviewerIds: [2], assigneeIds: [3] };
  await api.MergeRequests.create(name, branch, 'main', 'Bump', { ...labels, ...people });
  await api.MergeRequests.edit(name, 1, { title: 'New', description: 'y' });
  await api.MergeRequests.edit(name, 1, { stateEvent: 'close' });
  await api.MergeRequests.edit(name, 1, { stateEvent: 'reopen' });
  await api.MergeRequests.show(name, 1);
  await api.MergeRequests.all({ projectId: name, state: 'opened', ...paged });
  await api.MergeRequests.all({ projectId: name, state: 'opened', sourceBranch: branch, ...paged });
  await api.MergeRequestNotes.create(name, 1, 'One.');
  await api.MergeRequestNotes.all(name, 1, { orderBy: 'created_at', sort: 'asc', ...paged });
  await api.Repositories.compare(name, 'main', branch);
  await api.Pipelines.all(name, { sha: commit, orderBy: 'id', sort: 'desc', ...one });
  await setStatus(project, commit, 'build', 'running');
  Object.assign(project.settings, { requiresPipeline: true });
  const { sha } = await api.MergeRequests.show(name, 1);
  await api.MergeRequests.merge(name, 1, { autoMerge: true, mergeWhenPipelineSucceeds: true, sha });
  await project.person.push('gone', { x: 'x' });
  await api.MergeRequests.create(name, 'gone', 'main', 'x', labels);
  Object.assign(project.settings, { requiresPipeline: false });
  const next = await api.MergeRequests.show(name, 2);
  await api.MergeRequests.merge(name, 2, { sha: next.sha });
  await project.person.push('other', { y: 'y' });
  await api.Branches.remove(name, 'other');
  const ordered = { orderBy: 'id', sort: 'asc', ...paged } as const;
  await api.Groups.allProjects('acme', { includeSubgroups: true, withShared: false, ...ordered });
  await gitlab.project('people/own');
  await api.Users.allProjects('people', ordered);
  await api.MergeRequestApprovals.showConfiguration(name, { mergerequestIId: 1 });
}

/** Newer than it (`pagination=none`), and pages that GitLab declares for these and it does not. */
const UNKNOWN_TO_GITBEAKER = [
  'GET /projects/:id/repository/tree?pagination&recursive&ref',
  'GET /projects/:id/repository/commits/:sha/statuses?page&per_page',
];

test('it asks GitLab what gitbeaker asks it for the same, by the same names', async () => {
  const [ours, theirs] = await Promise.all([startGitlab(), startGitlab()]);
  try {
    ours.isOld = true; // then it asks in both ways for lists of files
    await askAsWeDo(ours);
    await askAsGitbeakerDoes(theirs);

    expect(ours.asked.filter((each) => !theirs.asked.includes(each))).toEqual(UNKNOWN_TO_GITBEAKER);
    expect(ours.mistakes).toEqual([]);
  } finally {
    await Promise.all([ours.stop(), theirs.stop()]);
  }
});
