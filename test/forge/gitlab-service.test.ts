import { describe, expect, test } from 'vitest';
import { createDownstreams } from '../../src/compose/forges.ts';
import { readConfig } from '../../src/config.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import { fleetFiles } from '../support/fleet-files.ts';
import { GITLAB_READER, GITLAB_TOKEN } from '../support/gitlab.ts';
import { useGitlab } from '../support/gitlab-scene.ts';

const branch = 'ingot/image/debian';
const pull = { branch, base: 'main', title: 'Bump', body: '' };
const scene = useGitlab();
const { open, forgeWith } = scene;

describe('files', () => {
  const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`d${index % 4}/f${index}`, `${index}`]));

  test('are listed in one request', async () => {
    const { project, repository } = await open();
    await project.person.push('main', many);

    expect(await repository.files((await repository.head()).commit)).toHaveLength(26);
    expect(scene.gitlab.asked).toEqual(['GET /projects/:id/repository/tree?pagination&recursive&ref']);
  });

  test('of a server that is older are listed page by page', async () => {
    const { project, repository } = await open();
    await project.person.push('main', many);
    Object.assign(scene.gitlab, { isOld: true, mostPerPage: 10 });

    const files = await repository.files((await repository.head()).commit);
    expect(files.map(({ path }) => path).sort()).toEqual(['Dockerfile', ...Object.keys(many)].sort());
  });
});

describe('limits', () => {
  test('429 with Retry-After is waited for, also by writes', async () => {
    const { repository, propose } = await open();
    await propose();
    const { number } = await repository.openPull(pull);
    scene.gitlab.next.push({ status: 429, headers: { 'retry-after': '7' }, body: 'Retry later' });
    await repository.comment(number, 'One.');

    expect(scene.slept).toEqual([7_000]);
    expect(await repository.comments(number)).toHaveLength(1);
  });

  test('without it, the end of the window is', async () => {
    const { repository } = await open();
    const reset = String(Date.parse('2026-08-22T02:00:20Z') / 1000);
    const headers = { 'ratelimit-remaining': '0', 'ratelimit-reset': reset };
    scene.gitlab.next.push({ status: 429, headers, body: { message: { error: 'too many requests' } } });
    await repository.pulls();

    expect(scene.slept).toEqual([20_000]);
  });

  test('an hour is said, and not waited for', async () => {
    const { repository } = await open();
    const body = { message: { error: 'This endpoint has been requested too many times.' } };
    scene.gitlab.next.push({ status: 429, headers: { 'retry-after': '3600' }, body });
    const asking = repository.pulls();

    await expect(asking).rejects.toMatchObject({ code: 'rate-limited', retryable: true });
    await expect(asking).rejects.toThrow('requested too many times');
    expect(scene.slept).toEqual([]);
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
    scene.gitlab.next.push({ status: 403, body: { message: '403 Forbidden' } });

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
  const downstream = { forge: 'gitlab', url: scene.gitlab.url, repository: project.name, token: { env: 'T' } };
  const text = `fleet: acme\ndownstreams: ${JSON.stringify([downstream])}\n`;
  const image = { 'images/debian/image.yaml': 'line: "12"\nfrom: debian:12-slim\nuser: 10001\n' };
  const { settings } = parseFleet(fleetFiles({ ...image, 'ingot.yaml': text }));
  const config = await readConfig({ root: '/nowhere', env: { T: GITLAB_TOKEN } });
  const [repository] = await createDownstreams(config, settings, scene.http).list();

  expect(repository!.name).toBe(project.name);
  expect([...(await repository!.look()).ours.keys()]).toEqual([branch]);
});

describe('discovery', () => {
  test('finds projects of a group and of all groups below it, page by page', async () => {
    const names = ['wide/shop-a', 'wide/web/shop-b', 'wide/web/api', 'wide/web/deep/shop-c', 'wide/old/shop-d'];
    const made = await Promise.all(names.map((name) => scene.gitlab.project(name)));
    for (const { settings } of made) settings.topics.push('golden');
    made.at(-1)!.settings.archived = true;
    scene.gitlab.mostPerPage = 2;
    const find = (which: object) => forgeWith().discover({ owner: 'wide', ...which });

    expect((await find({ topics: ['golden'] })).toSorted()).toEqual(names.slice(0, 4).toSorted());
    expect((await find({ names: ['shop-*'], archived: true })).length).toBe(4);
    expect((await find({ names: ['web/*', '!web/deep/*'] })).toSorted()).toEqual(['wide/web/api', 'wide/web/shop-b']);
    expect(await forgeWith().discover({ owner: 'wide/web/deep' })).toEqual(['wide/web/deep/shop-c']);
  });

  test('finds those of a user, and says when there is neither', async () => {
    await scene.gitlab.project('people/own');

    expect(await forgeWith().discover({ owner: 'people' })).toEqual(['people/own']);
    await expect(forgeWith().discover({ owner: 'nobody' })).rejects.toMatchObject({ code: 'not-found' });
  });
});
