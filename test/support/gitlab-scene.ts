import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { createGitlabForge, type GitlabOptions } from '../../src/forge/gitlab.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { type FakeGitlab, GITLAB_TOKEN, startGitlab } from './gitlab.ts';

const branch = 'ingot/image/debian';

/** A loopback GitLab for the tests of one file, with what they do most. What it holds of GitLab's rules is checked at the end. */
export function useGitlab() {
  const scene = { slept: [] as number[], meanwhile: async () => {}, count: 0 } as {
    gitlab: FakeGitlab;
    http: Http;
    /** Milliseconds, each time that somebody waited. */
    slept: number[];
    /** What happens while somebody waits. */
    meanwhile: () => Promise<void>;
    count: number;
  };

  beforeAll(async () => {
    scene.gitlab = await startGitlab();
    scene.http = createHttp({ connectionsPerHost: 8, userAgent: 'test', timeoutMs: 30_000 });
  });

  afterAll(async () => {
    await scene.http.close();
    await scene.gitlab.stop();
    expect(scene.gitlab.mistakes).toEqual([]);
  });

  beforeEach(() => {
    scene.slept = [];
    scene.meanwhile = async () => undefined;
    scene.gitlab.asked.length = 0;
    Object.assign(scene.gitlab, { mostPerPage: 100, isOld: false });
  });

  function forgeWith(options: Partial<GitlabOptions> = {}) {
    return createGitlabForge({
      url: scene.gitlab.url,
      token: GITLAB_TOKEN,
      tokenName: 'GITLAB_TOKEN',
      identity: { name: 'ingot', email: 'ingot@localhost' },
      http: scene.http,
      now: () => new Date('2026-08-22T02:00:00Z'),
      async sleep(ms) {
        scene.slept.push(ms);
        await scene.meanwhile();
      },
      ...options,
    });
  }

  /** A project of a group in a group, and what the adapter makes of it. */
  async function open(options: Partial<GitlabOptions> = {}) {
    const name = `acme/web/team/life${++scene.count}`;
    const project = await scene.gitlab.project(name, { Dockerfile: 'FROM a:1\n' });
    const repository = forgeWith(options).repository(name);
    const propose = async () => {
      const { commit: onto } = await repository.head();
      const files = [{ path: 'Dockerfile', content: Buffer.from('FROM a:2\n') }];
      return (await repository.commit({ branch, onto, message: 'Bump', files })).commit;
    };
    return { project, repository, propose };
  }

  return Object.assign(scene, { forgeWith, open });
}
