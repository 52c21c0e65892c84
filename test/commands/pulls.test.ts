import { afterEach, beforeEach, expect, test } from 'vitest';
import { type PullsContext, pullsList, pullsMerge, pullsShow } from '../../src/commands/pulls.ts';
import type { ForgeRepository } from '../../src/forge/forge.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { createTestRepository, type TestRepository } from '../support/git-repository.ts';

const forge = createLocalForge({ now: () => new Date('2026-08-22T02:00:00Z') });
let people: TestRepository[];
let printed: string[];
let context: PullsContext;

beforeEach(async () => {
  people = [
    await createTestRepository({ Dockerfile: 'FROM a:1\n' }),
    await createTestRepository({ Dockerfile: 'FROM a:1\n' }),
  ];
  printed = [];
  context = {
    repositories: people.map(({ path }) => forge.repository(path)),
    json: false,
    print: (text) => void printed.push(text),
    signal: new AbortController().signal,
  };
});

afterEach(() => Promise.all(people.map((person) => person.remove())));

async function propose(repository: ForgeRepository, name: string) {
  const { commit: onto, branch: base } = await repository.head();
  const branch = `ingot/image/${name}`;
  await repository.commit({ branch, onto, message: 'Bump', files: [{ path: name, content: Buffer.from('x\n') }] });
  return repository.openPull({ branch, base, title: `Bump ${name}`, body: '<!-- ingot: {} -->\n\nBecause.' });
}

test('the list shows open ones first, and says when there are none', async () => {
  expect(await pullsList(context)).toBe(0);
  await propose(context.repositories[0]!, 'debian');
  await context.repositories[0]!.updatePull(1, { state: 'closed' });
  await propose(context.repositories[0]!, 'python');

  expect(await pullsList(context)).toBe(0);
  expect(printed[0]).toBe('no pull requests');
  expect(printed[1]).toMatch(/shop#2.*open.*Bump python.*ingot\/image\/python.*shop#1.*closed.*Bump debian/s);
});

test('a downstream that cannot be asked is said, and the exit code tells', async () => {
  await propose(context.repositories[0]!, 'debian');
  const repositories = [forge.repository('/nowhere'), ...context.repositories];

  expect(await pullsList({ ...context, repositories })).toBe(4);
  expect(printed[0]).toContain('Bump debian');
  expect(printed[1]).toMatch(/^\/nowhere could not be asked: /);
});

test('a pull request is shown with its body, without what is for machines', async () => {
  await propose(context.repositories[1]!, 'debian');

  expect(await pullsShow('1', context)).toBe(0);
  expect(printed[0]).toBe(`Bump debian (#1, open)\n${people[1]!.path}: ingot/image/debian into main\n\nBecause.`);
});

test('as JSON each is one document', async () => {
  await propose(context.repositories[0]!, 'debian');
  await pullsList({ ...context, json: true });
  await pullsShow('1', { ...context, json: true });

  expect(JSON.parse(printed[0]!)).toMatchObject({ pulls: [{ number: 1 }], unknown: [] });
  expect(JSON.parse(printed[1]!)).toMatchObject({ number: 1, state: 'open', title: 'Bump debian' });
});

test('a number that several downstreams have needs the name of one', async () => {
  await Promise.all(context.repositories.map((repository) => propose(repository, 'debian')));

  await expect(pullsMerge('1', context)).rejects.toMatchObject({ code: 'usage' });
  expect(await pullsMerge(`${people[1]!.path}#1`, context)).toBe(0);
  expect(printed).toEqual([`merged #1 "Bump debian" into main of ${people[1]!.path}`]);
  expect(await people[1]!.show('main', 'debian')).toBe('x');
  await expect(people[0]!.show('main', 'debian')).rejects.toThrow();
});

test.each(['x', '0', 'shop#', 'other#1', 'shop#7', '7'])('"%s" is refused with what to write', async (which) => {
  await expect(pullsShow(which, context)).rejects.toMatchObject({ code: 'usage' });
});
