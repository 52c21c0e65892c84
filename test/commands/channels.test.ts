import { afterAll, beforeAll, expect, test } from 'vitest';
import { adoptCommand } from '../../src/commands/adopt.ts';
import {
  approveCommand,
  type ChannelApp,
  channelsCommand,
  gatesCommand,
  promoteCommand,
} from '../../src/commands/channels.ts';
import { atTag } from '../../src/domain/reference.ts';
import { pushImage } from '../support/images.ts';
import { createStageScene, type StageScene } from '../support/stage-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const { signal } = new AbortController();

let scene: StandingScene;
beforeAll(async () => {
  scene = await startStandingScene();
});
afterAll(() => scene?.stop());

const SETTINGS = `channels:
  - { name: edge }
  - { name: stable, after: 876000h }
  - { name: lts, approval: { by: [ada] } }
`;

function setUp(name: string, settings = SETTINGS) {
  const stages = createStageScene(scene, name, settings);
  const { deps, image } = stages;
  const app: ChannelApp = {
    ...deps,
    ledger: scene.ledger,
    fleet: { settings: deps.settings, images: [image] },
    config: { person: 'ada' },
  };
  const said: string[] = [];
  const output = {
    line: (text: string) => void said.push(...text.split('\n')),
    json: (value: unknown) => void said.push(JSON.stringify(value)),
    progress: process.stderr,
  };
  const common = { json: false, signal, reason: 'because' };
  /** Runs a verb: its exit code, and what it said. */
  const run = async (verb: () => Promise<number>) => {
    said.length = 0;
    const code = await verb();
    return [code, ...said];
  };
  return { stages, app, output, common, run };
}

test('channels tells where each is, and what newer releases wait for', async () => {
  const { stages, app, output, run } = setUp('where');
  await stages.release('12.0.0', { channels: ['edge'] });

  const [code, ...lines] = await run(() => channelsCommand(app, output, { images: [], json: false, signal }));

  expect(code).toBe(0);
  expect(lines).toEqual([
    'base edge: 12.0.0',
    'base stable: points nowhere yet',
    expect.stringMatching(/^ {4}12\.0\.0 soaks until 2126-/),
    'base lts: points nowhere yet',
    '    12.0.0 comes after it was in stable; waits for an approval of ada',
  ]);
});

test('a channel is approved, then moved by hand', async () => {
  const { stages, app, output, common, run } = setUp('hand');
  await stages.release('12.0.0', { channels: ['edge'] });

  const options = { ...common, image: 'base', version: '12.0.0', channel: 'lts' };
  expect(await run(() => approveCommand(app, output, options))).toEqual([
    0,
    'base 12.0.0 is approved for lts by ada; the next cycle moves it, if nothing else is waited for',
  ]);
  const request = { ...common, image: 'base:12.0.0', channel: 'lts', emergency: false };
  expect(await run(() => promoteCommand(app, output, request))).toEqual([0, 'base: lts is at 12.0.0 now']);
  expect(await run(() => promoteCommand(app, output, request))).toEqual([0, 'base: lts was at 12.0.0 already']);
});

test('an emergency says what it went over', async () => {
  const { stages, app, output, common, run } = setUp(
    'emergency',
    `${SETTINGS}freezes: [{ from: 2020-01-01, until: 2098-12-31, why: x }]\n`,
  );
  await stages.release('12.0.0', { channels: ['edge'] });

  const request = { ...common, image: 'base', channel: 'stable', emergency: true };
  expect(await run(() => promoteCommand(app, output, request))).toEqual([
    0,
    'base: stable is at 12.0.0 now (although it is frozen out until 2099-01-01 00:00 UTC: x)',
  ]);
  const through = await run(() => promoteCommand(app, output, { ...common, image: 'base', emergency: true }));
  expect(through[1]).toMatch(/^base may be rebuilt until 20.*Z, whatever is frozen; "ingot run" does it$/);
  await expect(promoteCommand(app, output, { ...common, image: 'base', emergency: false })).rejects.toMatchObject({
    code: 'usage',
  });
});

test('gates that refuse end with the exit code of what is blocked', async () => {
  const gates = 'gates: [{ name: canary, when: after, command: [sh, -c, "echo no; exit 1"] }]\n';
  const { stages, app, output, run } = setUp('gates', `channels: [{ name: stable, gates: [canary] }]\n${gates}`);
  await stages.release('12.0.0');

  expect(await run(() => gatesCommand(app, output, { image: 'base', json: false, signal }))).toEqual([
    3,
    'base 12.0.0: canary refused: exit 1: no',
  ]);
});

test('adopt shows what would change, and does so after a yes', async () => {
  const { stages, app, output, run } = setUp('adopt', 'channels: [{ name: edge }, { name: stable, after: 24h }]\n');
  const pushed = await pushForeign(stages);
  const adopt = (yes: boolean) => run(() => adoptCommand(app, output, { images: [], yes, json: false, signal }));

  const [code, ...lines] = await adopt(false);
  const [, ...after] = await adopt(true);
  const [, ...done] = await adopt(false);

  expect(code).toBe(0);
  expect(lines).toEqual([
    `base (${scene.repository('x').registry}/adopt/base):`,
    `    would move 12 (${pushed})`,
    `    would move at a later stage stable (${pushed})`,
    '    counts 1 version of others as given out: 12.3.0',
    '    would release 12.3.1, and make edge, 12.3, 12.3.1',
    '    not signed with the key of this fleet: 12.3.0, 12, stable',
    '    never touches latest',
    '    releases are refused until "--yes" says that ingot may move 12, stable',
  ]);
  expect(after.at(-1)).toBe('    adopted: the next release moves 12, stable');
  expect(done.join()).not.toContain('refused');
});

/** The first digits of the digest that all tags name. */
async function pushForeign({ repository }: StageScene): Promise<string> {
  const digests = [];
  for (const tag of ['12.3.0', '12', 'stable', 'latest']) {
    digests.push((await pushImage(scene.registry, atTag(repository, tag), { files: { a: 'b' } })).digest);
  }
  return digests[0]!.slice('sha256:'.length, 'sha256:'.length + 12);
}
