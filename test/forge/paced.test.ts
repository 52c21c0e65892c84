import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDownstreams } from '../../src/compose/forges.ts';
import { readConfig } from '../../src/config.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createPacer, createWriteTimes } from '../../src/lib/pacer.ts';
import { fleetFiles } from '../support/fleet-files.ts';
import { type FakeGithub, GITHUB_TOKEN, startGithub } from '../support/github.ts';

const IMAGE = { 'images/debian/image.yaml': 'line: "12"\nfrom: debian:12-slim\nuser: 10001\n' };
const branch = 'ingot/image/debian';

let github: FakeGithub;
let http: Http;

beforeAll(async () => {
  github = await startGithub();
  http = createHttp({ connectionsPerHost: 8, userAgent: 'test', timeoutMs: 30_000 });
});

afterAll(async () => {
  await http.close();
  await github.stop();
  expect(github.mistakes).toEqual([]);
});

/** Repositories of ingot.yaml on a clock that runs only while somebody waits. */
async function scene(names: readonly string[], more: object = {}) {
  const clock = { now: Date.parse('2026-08-22T02:00:00Z') };
  const sleep = async (ms: number) => {
    clock.now += ms;
  };
  const pacer = createPacer({ times: createWriteTimes(), maxWaitMs: 90_000, now: () => clock.now, sleep });
  for (const name of names) await github.repository(name, { Dockerfile: 'FROM a:1\n' });
  const common = { forge: 'github', url: github.url, token: { env: 'T' }, ...more };
  const entries = JSON.stringify(names.map((repository) => ({ ...common, repository })));
  const { settings } = parseFleet(fleetFiles({ ...IMAGE, 'ingot.yaml': `fleet: acme\ndownstreams: ${entries}\n` }));
  const config = await readConfig({ root: '/nowhere', env: { T: GITHUB_TOKEN } });
  const repositories = await createDownstreams(config, settings, http, { pacer }).list();
  return { clock, repositories };
}

/** Requests that write, as GitHub saw them. */
const written = () => github.asked.filter((name) => !name.startsWith('GET ')).map((name) => name.split('/').at(-1));

test('what a pull request is reckoned to cost on GitHub is what it costs, each request a second apart', async () => {
  const pulls = { labels: ['golden'], reviewers: ['ana'], assignees: ['ben'] };
  const { clock, repositories } = await scene(['acme/cost'], { pulls });
  const [repository] = repositories;
  const { head } = await repository!.look();
  const start = clock.now;
  github.asked.length = 0;

  await repository!.turns!.take(['commit', 'open']);
  const files = [{ path: 'Dockerfile', content: Buffer.from('FROM a:2\n') }];
  await repository!.commit({ branch, onto: head.commit, message: 'Bump', files, expected: {} });
  await repository!.openPull({ branch, base: 'main', title: 'Bump', body: '' });

  const decorations = ['labels', 'requested_reviewers', 'assignees'];
  expect(written()).toEqual(['trees', 'commits', 'updateRefs', 'pulls', ...decorations]);
  expect(clock.now - start).toBe(6_000);
  expect(await repository!.turns!.until([])).toBe(clock.now);
  expect(await repository!.turns!.until(['comment'])).toBe(start + 7_000);
});

test('all repositories of one forge and one token share its limits', async () => {
  const { repositories } = await scene(['acme/one', 'acme/two'], { limits: { perHour: 10, apart: '1s' } });
  const [one, two] = repositories;

  await one!.turns!.take(['commit', 'open', 'open', 'open', 'open']);
  await expect(two!.turns!.take(['commit', 'open'])).rejects.toMatchObject({ code: 'rate-limited' });
  await two!.turns!.take(['comment', 'comment'], { urgent: true });
  expect(one!.turns!.group).toBe(two!.turns!.group);
});

test('where nothing limits, nobody waits', async () => {
  const text = 'fleet: acme\ndownstreams: [{ forge: local, path: ../x.git, branches: [main, release-1] }]\n';
  const { settings } = parseFleet(fleetFiles({ ...IMAGE, 'ingot.yaml': text }));
  const config = await readConfig({ root: '/nowhere', env: {} });
  const repositories = await createDownstreams(config, settings, http).list();

  expect(repositories.map(({ turns }) => turns)).toEqual([undefined, undefined]);
});
