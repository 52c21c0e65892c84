import { describe, expect, test } from 'vitest';
import { Notify } from '../../src/domain/fleet/settings-notify.ts';
import {
  decideNotifications,
  MOST_ATTEMPTS,
  retryIn,
  type Seen,
  type Situation,
} from '../../src/domain/notifications.ts';
import { PROBLEM_KINDS, type Problem } from '../../src/domain/problems.ts';

const channel = { slack: { url: { env: 'SLACK' } } };
const START = Date.parse('2026-11-23T02:00:00Z');
const SETTLE = 60_000;

/** A factory that decides at times, and remembers. */
function factory(
  settings: unknown,
  { url, commits }: { readonly url?: string; readonly commits?: NonNullable<Situation['commits']> } = {},
) {
  let seen: ReadonlyMap<string, Seen> = new Map();
  const images = [
    { name: 'base', owners: [{ team: 'platform' }] },
    { name: 'python', owners: [{ team: 'runtime' }, { team: 'platform' }] },
  ];
  return (
    after: number,
    problems: readonly Problem[],
    asked: Situation['asked'] = PROBLEM_KINDS,
    unasked: readonly string[] = [],
  ) => {
    const situation = { problems, asked, unasked, seen, images, settings: Notify.parse(settings), fleet: 'acme', url };
    const decision = decideNotifications({ ...situation, ...(commits && { commits }), now: START + after });
    seen = decision.seen;
    return decision.messages;
  };
}

describe('a channel that marks commits', () => {
  const settings = {
    channels: { fleet: { status: { forge: 'github', repository: 'acme/images', token: { env: 'T' } } } },
    settle: '0s',
  };
  const refused: Problem = { ...blocked('base'), kind: 'definitions-refused', key: 'refused', group: 'refused' };

  test('marks the commit in use, each newer one that has the problem, and the last of them when it is over', () => {
    const commits = { used: 'one' };
    const decide = factory(settings, { commits });

    const first = decide(0, [blocked('base')]);
    const again = decide(1_000, [blocked('base')]);
    commits.used = 'two';
    const newer = decide(2_000, [blocked('base')]);
    const over = decide(3_000, []);

    expect([first, again, newer, over].map((told) => told.map(({ commit, state }) => [commit, state]))).toEqual([
      [['one', 'problem']],
      [],
      [['two', 'problem']],
      [['two', 'recovered']],
    ]);
    expect(newer[0]!.id).not.toBe(first[0]!.id);
  });

  test('marks the refused commit, and never calls that one good', () => {
    const commits: { used: string; refused?: string } = { used: 'one', refused: 'bad' };
    const decide = factory(settings, { commits });

    const [begun] = decide(0, [refused]);
    Object.assign(commits, { used: 'good', refused: undefined });
    const [over] = decide(1_000, []);

    expect([begun?.commit, over?.commit]).toEqual(['bad', 'good']);
  });

  test('says nothing where definitions are in no repository, nor of what is no matter of a commit', () => {
    expect(factory(settings)(0, [blocked('base')])).toEqual([]);
    expect(factory(settings, { commits: { used: 'one' } })(0, [{ ...blocked('base'), severity: 'info' }])).toEqual([]);
  });
});

describe('a problem', () => {
  test('is told once to each channel, and once more when it is over', () => {
    const decide = factory({ channels: { ops: channel, chat: channel }, settle: '0s' });

    const first = decide(0, [blocked('base')]);
    const again = decide(1_000, [blocked('base')]);
    const over = decide(2_000, []);
    const quiet = decide(3_000, []);
    const anew = decide(4_000, [blocked('base')]);

    expect(first.map(({ channel: name, title, state }) => [name, title, state])).toEqual([
      ['ops', 'base is blocked', 'problem'],
      ['chat', 'base is blocked', 'problem'],
    ]);
    expect(over.map(({ title, state }) => [title, state])).toEqual([
      ['over: base is blocked', 'recovered'],
      ['over: base is blocked', 'recovered'],
    ]);
    expect([again, quiet]).toEqual([[], []]);
    expect(anew).toHaveLength(2);
    expect(anew[0]!.id).not.toBe(first[0]!.id);
  });

  test('that thirty images have for one reason is one message, when no further one comes', () => {
    const decide = factory({ channels: { ops: channel } });
    const names = Array.from({ length: 30 }, (_, index) => `image-${index}`);

    const during = names.map((_, index) => decide(index * 5_000, names.slice(0, index + 1).map(blocked)));
    const last = 29 * 5_000;
    const messages = decide(last + SETTLE, names.map(blocked));

    expect(during.flat()).toEqual([]);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ title: '30 images are blocked', more: 0 });
    expect(messages[0]!.lines).toHaveLength(30);
    expect(decide(last + 2 * SETTLE, [])).toEqual([]);
    expect(decide(last + 3 * SETTLE, [])).toMatchObject([{ title: 'over: 30 images are blocked' }]);
  });

  test('does not wait for ever when further ones keep coming', () => {
    const decide = factory({ channels: { ops: channel } });

    const names: string[] = [];
    const told = Array.from({ length: 60 }, (_, index) => {
      names.push(`image-${index}`);
      return decide(index * 10_000, names.map(blocked)).length;
    });

    expect(told.indexOf(1)).toBe((5 * SETTLE) / 10_000);
  });

  test('that is over before it was told is not told', () => {
    const decide = factory({ channels: { ops: channel } });

    expect([decide(0, [blocked('base')]), decide(5_000, []), decide(2 * SETTLE, []), decide(9 * SETTLE, [])]).toEqual([
      [],
      [],
      [],
      [],
    ]);
  });

  test('that comes and goes within a moment is not over', () => {
    const decide = factory({ channels: { ops: channel } });
    decide(0, [blocked('base')]);
    decide(SETTLE, [blocked('base')]);

    const messages = [
      decide(SETTLE + 1_000, []),
      decide(SETTLE + 20_000, [blocked('base')]),
      decide(9 * SETTLE, [blocked('base')]),
    ];

    expect(messages.flat()).toEqual([]);
  });

  test('that could not be asked about is not over', () => {
    const decide = factory({ channels: { ops: channel }, settle: '0s' });
    decide(0, [stuck]);

    expect(decide(1_000, [], ['blocked', 'failing'])).toEqual([]);
    expect(decide(1_500, [], PROBLEM_KINDS, ['shop'])).toEqual([]);
    expect(decide(2_000, [])).toMatchObject([{ state: 'recovered' }]);
  });

  test('with another reason is told, and not that the first is over', () => {
    const decide = factory({ channels: { ops: channel }, settle: '0s' });
    decide(0, [blocked('base')]);

    const messages = [
      ...decide(1_000, [{ ...blocked('base'), key: 'other', group: 'other', reason: 'root' }]),
      ...decide(2_000, [{ ...blocked('base'), key: 'other', group: 'other', reason: 'root' }]),
    ];

    expect(messages).toMatchObject([{ state: 'problem', lines: [{ reason: 'root' }] }]);
  });

  test('is told to a channel that is added later, as long as it lasts', () => {
    const before = factory({ channels: { ops: channel }, settle: '0s' });
    before(0, [blocked('base')]);
    const seen = new Map<string, Seen>([['blocked base', { problem: blocked('base'), since: START, told: ['ops'] }]]);
    const settings = Notify.parse({ channels: { ops: channel, late: channel }, settle: '0s' });

    const { messages } = decideNotifications({
      ...{
        problems: [blocked('base')],
        asked: PROBLEM_KINDS,
        unasked: [],
        seen,
        images: [],
        settings,
        fleet: 'acme',
        now: START,
      },
    });

    expect(messages.map(({ channel: name }) => name)).toEqual(['late']);
  });

  test('that is decided upon twice from one memory is the same message', () => {
    const [one, other] = [
      factory({ channels: { ops: channel }, settle: '0s' }),
      factory({ channels: { ops: channel }, settle: '0s' }),
    ];

    expect(one(0, [blocked('base')])[0]!.id).toBe(other(0, [blocked('base')])[0]!.id);
  });
});

describe('routes', () => {
  const channels = { platform: channel, runtime: channel, ops: channel };

  test.each([
    [[], 'base', ['platform', 'runtime', 'ops']],
    [[{ owners: ['runtime'], to: ['runtime'] }], 'python', ['runtime']],
    [[{ owners: ['runtime'], to: ['runtime'] }], 'base', []],
    [
      [
        { owners: ['platform'], to: ['platform'] },
        { owners: ['runtime'], to: ['runtime'] },
      ],
      'python',
      ['platform', 'runtime'],
    ],
    [[{ images: ['pyth*'], to: ['ops'] }], 'python', ['ops']],
    [[{ images: ['pyth*'], to: ['ops'] }], 'base', []],
    [[{ kinds: ['failing'], to: ['ops'] }], 'base', []],
    [[{ severity: 'warning', to: ['ops'] }], 'base', ['ops']],
    [[{ severity: 'critical', to: ['ops'] }], 'base', []],
    [[{ severity: 'warning', to: ['ops'] }, { to: ['ops'] }], 'base', ['ops']],
  ] as [object[], string, string[]][])('%j tell of %s to %j', (routes, image, names) => {
    const decide = factory({ channels, routes, settle: '0s' });

    expect(decide(0, [blocked(image)]).map(({ channel: name }) => name)).toEqual(names);
  });

  test('to a channel that is not there are a mistake', () => {
    const parsed = Notify.safeParse({ channels: { ops: channel }, routes: [{ to: ['opps'] }] });

    expect(parsed.error?.issues).toMatchObject([
      { path: ['routes', 0, 'to'], message: expect.stringContaining('"opps"') },
    ]);
  });
});

test('links lead to where people reach the service, or to the forge', () => {
  const decide = factory({ channels: { ops: channel }, settle: '0s' }, { url: 'https://ingot.acme.example' });
  const without = factory({ channels: { ops: channel }, settle: '0s' });

  const linksOf = (messages: ReturnType<typeof decide>) =>
    messages.flatMap(({ lines }) => lines.map(({ link }) => link));

  expect(linksOf(decide(0, [blocked('base'), stuck]))).toEqual([
    'https://ingot.acme.example/runs/1',
    'https://git.acme.example/7',
  ]);
  expect(linksOf(without(0, [blocked('base'), stuck]))).toEqual([undefined, 'https://git.acme.example/7']);
});

test('a channel that does not answer is tried for about a day, and never before it allows', () => {
  const waits = Array.from({ length: MOST_ATTEMPTS - 1 }, (_, index) => retryIn(index + 1, undefined)!);

  expect(waits.slice(0, 3)).toEqual([10_000, 20_000, 40_000]);
  expect(waits.reduce((sum, wait) => sum + wait, 0) / 3600_000).toBeGreaterThan(20);
  expect(retryIn(1, 120_000)).toBe(120_000);
  expect(retryIn(MOST_ATTEMPTS, undefined)).toBeUndefined();
});

function blocked(image: string): Problem {
  const about = { image, reason: 'a critical vulnerability', link: '/runs/1', group: 'blocked vulnerability' };
  return { key: `blocked ${image}`, kind: 'blocked', severity: 'warning', ...about };
}

const stuck: Problem = {
  ...{ key: 'pull-stuck shop 7', kind: 'pull-stuck', severity: 'info', group: 'pull-stuck', repository: 'shop' },
  ...{ reason: 'pull request 7 waits', link: 'https://git.acme.example/7' },
};
