import { expect, test } from 'vitest';
import { isWanted } from '../../src/forge/discovery.ts';

const shop = { name: 'shop-web', topics: ['golden'], archived: false, fork: false };

test.each([
  ['no wish', {}, true],
  ['the very name', { names: ['shop-web'] }, true],
  ['another name', { names: ['shop'] }, false],
  ['a name in other letters', { names: ['Shop-*'] }, true],
  ['a star in the middle', { names: ['s*p-*b'] }, true],
  ['stars that overlap', { names: ['shop-w*web'] }, false],
  ['one that is taken away', { names: ['shop-*', '!*-web'] }, false],
  ['all but some', { names: ['!*-api'] }, true],
  ['one topic of several', { topics: ['x', 'golden'] }, true],
  ['no topic of several', { topics: ['x', 'y'] }, false],
])('%s', (_what, wish, wanted) => {
  expect(isWanted(shop, { owner: 'acme', ...wish })).toBe(wanted);
});

const deep = { ...shop, name: 'web/team/shop-web' };

test.each([
  ['a name below groups', { names: ['shop-*'] }, true],
  ['one group', { names: ['web/*'] }, true],
  ['a group between', { names: ['team/*'] }, false],
  ['a group that is taken away', { names: ['shop-*', '!web/team/*'] }, false],
])('in groups: %s', (_what, wish, wanted) => {
  expect(isWanted(deep, { owner: 'acme', ...wish })).toBe(wanted);
});

test('archived repositories and forks are left out, unless they are asked for', () => {
  const old = { ...shop, archived: true };
  const fork = { ...shop, fork: true };

  expect([old, fork].map((each) => isWanted(each, { owner: 'acme' }))).toEqual([false, false]);
  expect(isWanted(old, { owner: 'acme', archived: true })).toBe(true);
  expect(isWanted(fork, { owner: 'acme', forks: true })).toBe(true);
});
