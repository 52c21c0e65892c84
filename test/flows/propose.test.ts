import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gitBlobId } from '../../src/domain/git-blob.ts';
import type { ImageContent } from '../../src/domain/image-content.ts';
import { closedBody } from '../../src/domain/pull-request-marker.ts';
import { examine, proposeImage, type ReleaseLookup, type ReleaseToPropose } from '../../src/flows/propose.ts';
import { ForgeError, type ForgeRepository } from '../../src/forge/forge.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { withPullOptions } from '../../src/forge/pull-options.ts';
import { debPackage, finding } from '../support/candidate-facts.ts';
import { createTestRepository, type TestRepository } from '../support/git-repository.ts';
import { A, B, branch, C, digest, image, proposal, lookup as versions } from '../support/proposals.ts';

const signal = new AbortController().signal;
const release = (...of: Parameters<typeof proposal>): ReleaseToPropose => ({
  ...proposal(...of),
  channels: ['stable'],
});
const [second, third] = [release('12.0.1', B), release('12.0.2', C)];

const contents: Record<string, ImageContent> = {
  [A]: platform('5.36.0-7+deb12u2', [finding('CVE-2026-1', 'critical')]),
  [B]: platform('5.36.0-7+deb12u4', []),
};

function platform(perl: string, findings: ReturnType<typeof finding>[]): ImageContent {
  return { 'linux/amd64': { size: 1000, packages: [debPackage('perl-base', perl)], findings } };
}

const lookup: ReleaseLookup = { ...versions, content: async (pin) => contents[pin.digest ?? ''] };

let person: TestRepository;
let forge: ForgeRepository;

beforeEach(async () => {
  person = await createTestRepository({
    Dockerfile: `FROM ${image}:12.0.0@${A}\n`,
    'services/a/Dockerfile.dev': `# dev\r\nFROM ${image}@${A}\r\n`,
    'README.md': `FROM ${image}:12.0.0@${A}\n`,
  });
  forge = createLocalForge({ now: () => new Date('2026-08-22T02:00:00Z') }).repository(person.path);
});

afterEach(() => person.remove());

const propose = (what = second, repository = forge) => proposeImage({ repository, release: what, lookup, signal });
const refs = () => person.git('for-each-ref');

test('one pull request moves all pins of a repository, and says what changes', async () => {
  const result = await propose();

  expect(result).toMatchObject({ action: 'opened', number: 1, title: 'Bump golden debian to 12.0.1 (1 CVE fixed)' });
  expect(result.pins.map(({ path, line }) => `${path}:${line}`)).toEqual([
    'Dockerfile:1',
    'services/a/Dockerfile.dev:2',
  ]);
  expect(await person.show(branch, 'Dockerfile')).toBe(`FROM ${image}:12.0.1@${B}`);
  expect(await person.show(branch, 'services/a/Dockerfile.dev')).toBe(`# dev\r\nFROM ${image}@${B}\r`);
  expect(await person.git('diff', '--name-only', 'main', branch)).toBe('Dockerfile\nservices/a/Dockerfile.dev');
  const [pull] = await forge.pulls();
  expect(pull?.body).toContain('| `perl-base` | `5.36.0-7+deb12u2` | `5.36.0-7+deb12u4` |');
  expect(pull?.body).toContain('Its base debian:12 moved');
});

test('a second time does nothing more, and asks the registry for no content', async () => {
  await propose();
  const before = await refs();
  const content = () => Promise.reject(new Error('not to be asked'));
  const again = await proposeImage({ repository: forge, release: second, lookup: { ...lookup, content }, signal });

  expect(again).toMatchObject({ action: 'unchanged', number: 1 });
  expect(await refs()).toBe(before);
});

test('a newer release updates the open one in place', async () => {
  await propose();

  expect(await propose(third)).toMatchObject({ action: 'updated', number: 1, title: 'Bump golden debian to 12.0.2' });
  expect(await person.show(branch, 'Dockerfile')).toBe(`FROM ${image}:12.0.2@${C}`);
  expect(await person.git('rev-list', '--count', `main..${branch}`)).toBe('1');
  expect(await forge.pulls()).toHaveLength(1);
});

test('a base that moved on elsewhere leaves the branch alone', async () => {
  await propose();
  await person.push('main', { other: 'x' });

  expect(await propose()).toMatchObject({ action: 'unchanged' });
});

test('a base that moved on in a touched file gets the branch rebuilt on it', async () => {
  await propose();
  await person.push('main', { Dockerfile: `FROM ${image}:12.0.0@${A}\nRUN true\n` });

  expect(await propose()).toMatchObject({ action: 'updated', number: 1 });
  expect(await person.show(branch, 'Dockerfile')).toBe(`FROM ${image}:12.0.1@${B}\nRUN true`);
  expect(await person.git('merge-base', 'main', branch)).toBe(await person.git('rev-parse', 'main'));
});

test('a pin that is gone from one file leaves the branch', async () => {
  await propose();
  await person.push('main', { 'services/a/Dockerfile.dev': undefined });

  expect(await propose()).toMatchObject({ action: 'updated' });
  expect(await person.git('diff', '--name-only', 'main', branch)).toBe('Dockerfile');
});

test.each([
  ['moved already', { Dockerfile: `FROM ${image}:12.0.1@${B}\n` }, 'every pin has moved already'],
  ['gone', { Dockerfile: 'FROM scratch\n' }, 'there is no pin left to move'],
])('when every pin is %s the pull request is closed with a word, and its branch goes', async (_name, files, why) => {
  await propose();
  await person.push('main', { ...files, 'services/a/Dockerfile.dev': undefined });

  expect(await propose()).toMatchObject({ action: 'closed', number: 1, message: why });
  const [pull] = await forge.pulls();
  expect(pull).toMatchObject({ state: 'closed' });
  expect(pull?.body).toContain(`**Closed by ingot:** ${why}`);
  expect(await forge.branch(branch)).toBeUndefined();
  expect(await propose()).toMatchObject({ action: 'none' });
});

test('what ingot closed itself is proposed again when the pins come back', async () => {
  await propose();
  const old = await person.show('main', 'Dockerfile');
  await person.push('main', { Dockerfile: 'FROM scratch\n', 'services/a/Dockerfile.dev': undefined });
  await propose();
  await person.push('main', { Dockerfile: `${old}\n` });

  expect(await propose()).toMatchObject({ action: 'opened', number: 2 });
});

describe('after a person closed it', () => {
  beforeEach(async () => {
    await propose();
    await forge.updatePull(1, { state: 'closed' });
  });

  test('the same release is not proposed again', async () => {
    const before = await refs();

    expect(await propose()).toMatchObject({ action: 'declined', number: 1 });
    expect(await refs()).toBe(before);
  });

  test('not even when its branch was deleted, or its body edited', async () => {
    await forge.removeBranch(branch);
    await forge.updatePull(1, { body: 'no thanks' });

    expect(await propose()).toMatchObject({ action: 'declined' });
  });

  test('a newer release asks again', async () => {
    expect(await propose(third)).toMatchObject({ action: 'opened', number: 2 });
  });

  test('reopened by a person it is cared for again', async () => {
    await forge.updatePull(1, { state: 'open' });

    expect(await propose(third)).toMatchObject({ action: 'updated', number: 1 });
  });
});

describe('after a person closed it, where nothing is wanted for a while', () => {
  const day = 24 * 3_600_000;
  const closed = Date.parse('2026-08-22T02:00:00Z');
  const at = (time: number, what = third) => {
    const repository = { ...forge, rules: { declineFor: 7 * day } };
    return examine({ repository, release: what, lookup, now: new Date(time), signal });
  };

  beforeEach(async () => {
    await propose();
    await forge.updatePull(1, { state: 'closed' });
  });

  test('a later release asks again when that is over, and says when that is', async () => {
    const early = await at(closed + 6 * day);

    expect(early).toMatchObject({ action: 'declined', pull: { number: 1 }, nextAt: closed + 7 * day });
    expect(early.message).toBe('closed by a person, so that nothing is proposed before 2026-08-29 02:00 UTC');
    expect(await at(closed + 7 * day)).toMatchObject({ action: 'opened' });
  });

  test('the release that was closed never asks again', async () => {
    expect(await at(closed + 70 * day, second)).toMatchObject({ action: 'declined' });
  });

  test('a critical fix does not wait', async () => {
    expect(await at(closed, { ...third, urgent: true })).toMatchObject({ action: 'opened' });
  });

  test('what ingot closed itself keeps nobody waiting', async () => {
    const [pull] = await forge.pulls();
    await forge.updatePull(1, { body: closedBody(pull!.body, 'there is no pin left to move') });

    expect(await at(closed)).toMatchObject({ action: 'opened' });
  });
});

describe('an open one that nobody merges', () => {
  const day = 24 * 3_600_000;
  const opened = Date.parse('2026-08-22T02:00:00Z');
  const look = (time: number, more: Partial<ForgeRepository> = {}) => {
    const repository = { ...forge, rules: { stuckAfter: 7 * day }, ...more };
    return proposeImage({ repository, release: second, lookup, now: new Date(time), signal });
  };

  test('is told of when it has waited for long', async () => {
    await look(opened);

    expect((await look(opened + 6 * day)).stuck).toBeUndefined();
    expect(await look(opened + 7 * day)).toMatchObject({
      action: 'unchanged',
      message: 'waits to be merged since 2026-08-22',
      stuck: { kind: 'waiting', since: '2026-08-22T02:00:00.000Z' },
    });
  });

  test('is told of at once when its checks fail', async () => {
    await look(opened);
    const checks = async () => ({ state: 'failing', failing: ['test', 'lint'] }) as const;

    expect(await look(opened, { checks })).toMatchObject({
      action: 'unchanged',
      message: 'its checks fail: test, lint',
      stuck: { kind: 'checks-failing', failing: ['test', 'lint'] },
    });
  });

  test('counts from when it came to propose the release that it proposes', async () => {
    await propose({ ...second, digest: digest('d'), version: '12.0.0-1' });
    await look(opened + 5 * day);

    expect((await look(opened + 8 * day)).stuck).toBeUndefined();
  });

  test('costs no request where nobody asks for it', async () => {
    await propose();
    const checks = () => Promise.reject(new Error('not to be asked'));

    expect(await look(opened + 99 * day, { rules: {}, checks })).toMatchObject({ action: 'unchanged' });
  });
});

test.each<[string, Record<string, string | undefined>]>([
  ['another file', { other: 'x' }],
  ['a file that was moved away', { 'README.md': undefined, 'docs/README.md': 'x' }],
  ['a line of a file that it touches', { Dockerfile: `# new\nFROM ${image}:12.0.0@${A}\nRUN true\n` }],
  ['its own change made by somebody else, and more', { Dockerfile: `FROM ${image}:12.0.1@${B}\nRUN true\n` }],
  ['a file that it touches gone', { 'services/a/Dockerfile.dev': undefined }],
  ['a folder in place of a file that it touches', { Dockerfile: undefined, 'Dockerfile/x': 'y' }],
])('an open one is never left in conflict with its base: %s', async (_name, files) => {
  await propose();
  await person.push('main', files);
  await propose();

  await expect(person.git('merge-tree', '--write-tree', 'main', branch)).resolves.toMatch(/^[0-9a-f]{40}$/);
});

test('commits of a person on the branch are left alone and reported, whatever is released', async () => {
  await propose();
  await person.push(branch, { note: 'mine' });
  const before = await refs();

  expect(await propose(third)).toMatchObject({ action: 'stuck', number: 1 });
  await person.push('main', { Dockerfile: 'FROM scratch\n', 'services/a/Dockerfile.dev': undefined });
  expect(await propose(third)).toMatchObject({ action: 'stuck', number: 1 });
  expect((await refs()).split('\n').slice(0, 1)).toEqual(before.split('\n').slice(0, 1));
});

test('merged, there is nothing more to do, and the next release is a new pull request', async () => {
  await propose();
  await forge.merge(1);

  expect(await propose()).toMatchObject({ action: 'none' });
  expect(await forge.branch(branch)).toBeUndefined();
  expect(await propose(third)).toMatchObject({ action: 'opened', number: 2 });
});

test('two maintained branches of one repository have a pull request each, and neither touches the other', async () => {
  await person.push('release-1', { Dockerfile: `FROM ${image}:12.0.0@${A}\nRUN old\n` });
  const maintained = createLocalForge({ now: () => new Date('2026-08-22T02:00:00Z') }).repository(person.path, {
    branch: 'release-1',
  });

  expect(await propose()).toMatchObject({ action: 'opened', number: 1 });
  expect(await propose(second, maintained)).toMatchObject({ action: 'opened', number: 2, base: 'release-1' });
  expect(await propose()).toMatchObject({ action: 'unchanged', number: 1 });
  expect(await propose(second, maintained)).toMatchObject({ action: 'unchanged', number: 2 });

  expect((await forge.pulls()).map(({ branch, base }) => [branch, base])).toEqual([
    ['ingot/image/debian', 'main'],
    ['ingot/on/release-1/image/debian', 'release-1'],
  ]);
  expect(await person.show('ingot/on/release-1/image/debian', 'Dockerfile')).toBe(`FROM ${image}:12.0.1@${B}\nRUN old`);
  await forge.merge(2);
  expect(await propose(second, maintained)).toMatchObject({ action: 'none' });
  expect(await propose()).toMatchObject({ action: 'unchanged', number: 1 });
});

test('the default branch keeps its name where it is configured', async () => {
  const named = createLocalForge({ now: () => new Date() }).repository(person.path, { branch: 'main' });

  expect(await propose(second, named)).toMatchObject({ action: 'opened' });
  expect(await forge.branch(branch)).toBeDefined();
});

test('the commit has a body, and is signed off where that is asked for', async () => {
  const signing = withPullOptions(forge, { signsOff: { name: 'Ada', email: 'ada@example.org' } });
  await propose(second, signing);

  const message = await person.git('log', '-1', '--format=%B', branch);
  expect(message).toContain('Bump golden debian to 12.0.1 (1 CVE fixed)\n\n2 places name the golden image debian:');
  expect(message).toMatch(/- its base debian:12 moved\n\nSigned-off-by: Ada <ada@example.org>\n*$/);
  const trailers = await person.git('log', '-1', '--format=%(trailers:key=Signed-off-by,valueonly)', branch);
  expect(trailers.trim()).toBe('Ada <ada@example.org>');
  expect(await propose(second, signing)).toMatchObject({ action: 'unchanged' });
});

test('owners of the files that change are asked for a review where that is wanted', async () => {
  await person.push('main', { '.github/CODEOWNERS': '* @ana\n/services/ @acme/services\nREADME.md @zoe\n' });
  const asked: (readonly string[] | undefined)[] = [];
  const owned: ForgeRepository = {
    ...forge,
    rules: { codeOwnersReview: true },
    async openPull(pull, call) {
      asked.push(pull.reviewers);
      return forge.openPull(pull, call);
    },
  };
  await propose(second, owned);

  expect(asked).toEqual([['ana', 'acme/services']]);
});

test('pins that are left alone are reported with the reason', async () => {
  await person.push('main', {
    'other.Dockerfile': `FROM ${image}:12\nFROM ${image}:11.0.0\nFROM ${image}@${digest('e')}\n`,
  });
  const { left } = await propose();

  expect(left.map(({ path, line, reason }) => [path, line, reason])).toEqual([
    ['other.Dockerfile', 1, 'floating'],
    ['other.Dockerfile', 2, 'other-line'],
    ['other.Dockerfile', 3, 'unknown-digest'],
  ]);
  expect((await forge.pulls())[0]?.body).toContain('Left alone:');
});

test('a repository without pins is left as it is', async () => {
  const before = await refs();

  expect(await propose({ ...second, repository: 'registry.example.org/golden/python', image: 'python' })).toMatchObject(
    {
      action: 'none',
    },
  );
  expect(await refs()).toBe(before);
});

test('links and huge files are not touched', async () => {
  await symlink('Dockerfile', join(person.path, '..', 'work', 'link.Dockerfile'));
  await person.push('main', { 'big/Dockerfile': `FROM ${image}@${A}\n${'#'.repeat(5 * 1024 * 1024)}` });
  const { left, pins } = await propose();

  expect(await person.git('ls-tree', '--format=%(objectmode)', 'main', 'link.Dockerfile')).toBe('120000');
  expect(pins.map(({ path }) => path)).toEqual(['Dockerfile', 'services/a/Dockerfile.dev']);
  expect(left).toMatchObject([{ path: 'big/Dockerfile', reason: 'unsafe' }]);
});

describe('a kill at any moment', () => {
  const calls = ['commit', 'openPull', 'updatePull', 'removeBranch'] as const;

  /** Dies before or after the first call of one kind, as a killed process would. */
  function dying(call: (typeof calls)[number], when: 'before' | 'after'): ForgeRepository {
    const dead = new ForgeError('killed', { code: 'bug' });
    const die = async (...args: unknown[]) => {
      if (when === 'after') await (forge[call] as (...all: unknown[]) => Promise<unknown>)(...args);
      throw dead;
    };
    return { ...forge, [call]: die };
  }

  const cases = calls.flatMap((call) => (['before', 'after'] as const).map((when) => [when, call] as const));

  async function life(killed?: ForgeRepository) {
    const step = async (what: ReleaseToPropose) => {
      if (killed !== undefined) await propose(what, killed).catch(() => undefined);
      await propose(what);
    };
    await step(second);
    await step(third);
    await person.push('main', { Dockerfile: 'FROM scratch\n', 'services/a/Dockerfile.dev': undefined });
    const open = await forge.pulls();
    await step(third);
    return { open, closed: await forge.pulls(), branch: await forge.branch(branch) };
  }

  test.each(cases)('%s %s is made up by the next call', async (when, call) => {
    const { open, closed, branch: left } = await life(dying(call, when));

    expect(open).toMatchObject([{ number: 1, state: 'open', title: 'Bump golden debian to 12.0.2' }]);
    expect(open[0]?.body).toContain('12.0.2');
    expect(closed).toMatchObject([{ number: 1, state: 'closed' }]);
    expect(left).toBeUndefined();
  });
});

test('a branch that a person pushes to while ingot works is not overwritten', async () => {
  await propose();
  let theirs = '';
  const raced: ForgeRepository = {
    ...forge,
    async commit(request, call) {
      theirs = await person.push(branch, { note: 'mine' });
      return forge.commit(request, call);
    },
  };

  await expect(propose(third, raced)).rejects.toMatchObject({ code: 'conflict', retryable: true });
  expect((await forge.branch(branch))?.commit).toBe(theirs);
});

test('the blob id is that of git', async () => {
  const id = await person.git('rev-parse', 'main:Dockerfile');

  expect(gitBlobId(Buffer.from(`FROM ${image}:12.0.0@${A}\n`), id)).toBe(id);
});

describe('a release that is quarantined', () => {
  const bad = { digest: B, version: '12.0.1', by: 'ada', why: 'it crashes' };
  const back: ReleaseToPropose = { ...release('12.0.0', A), quarantined: [bad] };
  const merge = async () => {
    await propose();
    await forge.merge(1);
  };

  test('is left again by pins that are on it, and the pull request says why', async () => {
    await merge();

    expect(await propose(back)).toMatchObject({ action: 'opened', title: 'Move golden debian back to 12.0.0' });
    expect(await person.show(branch, 'Dockerfile')).toBe(`FROM ${image}:12.0.0@${A}`);
    expect(await person.show(branch, 'services/a/Dockerfile.dev')).toBe(`# dev\r\nFROM ${image}@${A}\r`);
    const [pull] = await forge.pulls({ state: 'open' });
    expect(pull?.body).toContain('12.0.1 is quarantined by ada: it crashes');
    expect(pull?.body).toContain('12.0.0 is in use again');
    expect(await propose(back)).toMatchObject({ action: 'unchanged' });
  });

  test('has its open pull request closed with that word', async () => {
    await propose();

    const why = '12.0.1 is quarantined by ada: it crashes';
    expect(await propose(back)).toMatchObject({ action: 'closed', number: 1, message: why });
    expect((await forge.pulls())[0]?.body).toContain(`**Closed by ingot:** ${why}`);
    expect(await forge.branch(branch)).toBeUndefined();
  });

  test('is not proposed while it is still in use', async () => {
    expect(await propose({ ...second, quarantined: [bad] })).toMatchObject({ action: 'none' });

    await propose();

    expect(await propose({ ...second, quarantined: [bad] })).toMatchObject({ action: 'closed' });
  });

  test('is left although a person declined the older release before, and stays where one declines the way back', async () => {
    await person.push('main', { Dockerfile: `FROM ${image}:12.0.1@${B}\n`, 'services/a/Dockerfile.dev': undefined });
    const { commit: onto } = await forge.head();
    await forge.commit({ branch, onto, message: 'x', files: [{ path: 'x', content: Buffer.from('x') }] });
    const text = { title: 'Bump golden debian to 12.0.0', body: 'no thanks' };
    const { number } = await forge.openPull({ branch, base: 'main', ...text });
    await forge.updatePull(number, { state: 'closed' });

    const opened = await propose(back);
    expect(opened).toMatchObject({ action: 'opened' });
    await forge.updatePull(opened.number!, { state: 'closed' });

    expect(await propose(back)).toMatchObject({ action: 'declined' });
  });

  test('leaves pins alone that are ahead for another reason', async () => {
    await person.push('main', { Dockerfile: `FROM ${image}:12.0.9\n`, 'services/a/Dockerfile.dev': undefined });

    const { left, action } = await propose(back);

    expect([action, left.map(({ reason }) => reason)]).toEqual(['none', ['ahead']]);
  });

  test('is left forward when there is something newer', async () => {
    await merge();

    expect(await propose({ ...third, quarantined: [bad] })).toMatchObject({
      action: 'opened',
      title: 'Bump golden debian to 12.0.2',
    });
    const [pull] = await forge.pulls({ state: 'open' });
    expect(pull?.body).toContain('12.0.1 is quarantined by ada: it crashes');
  });
});

describe('what a repository says in .ingot.yaml', () => {
  test('is followed', async () => {
    await person.push('main', { '.ingot.yaml': 'rules: [{ files: [services], update: hold }]\n' });

    const { action, pins, left } = await propose();

    expect(action).toBe('opened');
    expect(pins.map(({ path }) => path)).toEqual(['Dockerfile']);
    expect(left).toMatchObject([{ path: 'services/a/Dockerfile.dev', reason: 'held' }]);
  });

  test('leaves everything as it is while it is wrong', async () => {
    await propose();
    await person.push('main', { '.ingot.yaml': 'updaet: hold\n' });
    const before = await refs();

    const result = await propose(third);

    expect(result).toMatchObject({ action: 'held', number: 1, pins: [] });
    expect(result.message).toContain('.ingot.yaml:1:1: unknown key "updaet"; did you mean "update"?');
    expect((await refs()).replace(/.*refs\/heads\/main/, '')).toBe(before.replace(/.*refs\/heads\/main/, ''));
    expect(await forge.pulls({ state: 'open' })).toHaveLength(1);
  });

  test('may ask for the newest release within a range', async () => {
    await person.push('main', { '.ingot.yaml': 'update: patch\n' });
    const wide = { ...release('12.1.0', C), older: async () => [{ version: '12.0.1', digest: B }] };

    const { pins } = await propose(wide);

    expect(pins.map(({ to }) => to.digest)).toEqual([B, B]);
  });
});
