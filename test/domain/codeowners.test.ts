import { expect, test } from 'vitest';
import { codeOwnersOf } from '../../src/domain/codeowners.ts';

test.each([
  ['* @ada', 'a/Dockerfile', ['ada']],
  ['*.yaml @ada', 'deploy/web.yaml', ['ada']],
  ['*.yaml @ada', 'deploy/web.yml', []],
  ['Dockerfile @ada', 'a/b/Dockerfile', ['ada']],
  ['/Dockerfile @ada', 'a/Dockerfile', []],
  ['/build/logs/ @ada', 'build/logs/x/y', ['ada']],
  ['apps/ @ada', 'x/apps/y/Dockerfile', ['ada']],
  ['docs/* @ada', 'docs/x', ['ada']],
  ['docs/* @ada', 'docs/x/y', []],
  ['**/logs @ada', 'deep/er/logs/x', ['ada']],
  ['/apps/** @ada', 'apps/x/y', ['ada']],
  ['/apps/github @ada', 'apps/github/x', ['ada']],
  ['a+(b @ada', 'a+(b', ['ada']],
  ['my\\ dir/ @ada', 'my dir/x', ['ada']],
  ['* @acme/runtime ada@example.org', 'x', ['acme/runtime']],
  ['# * @ada', 'x', []],
  ['* @ada # and @ben', 'x', ['ada']],
])('%j owns of %j: %j', (line, path, owners) => {
  expect(codeOwnersOf([path], line)).toEqual(owners);
});

test('the last pattern that fits counts, also one without owners, and each owner is asked once', () => {
  const file = '* @ada\r\n/web/ @ben @acme/web\r\n/web/vendor/\r\n';

  expect(codeOwnersOf(['Dockerfile', 'web/Dockerfile', 'web/x'], file)).toEqual(['ada', 'ben', 'acme/web']);
  expect(codeOwnersOf(['web/vendor/Dockerfile'], file)).toEqual([]);
});
