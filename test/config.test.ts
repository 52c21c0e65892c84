import { userInfo } from 'node:os';
import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';

test.each<[string, NodeJS.ProcessEnv, string]>([
  ['CI that started the job', { GITHUB_ACTOR: 'ada', GIT_AUTHOR_NAME: 'Ben' }, 'ada'],
  ['git, where it is told', { GITHUB_ACTOR: ' ', GIT_AUTHOR_NAME: 'Ben' }, 'Ben'],
  ['the user of the machine', {}, userInfo().username],
])('the person who gives a command is known by %s', async (_name, env, expected) => {
  expect((await readConfig({ env })).person).toBe(expected);
});
