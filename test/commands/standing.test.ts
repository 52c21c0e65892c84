import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pauseCommand, resumeCommand } from '../../src/commands/pause.ts';
import { rollbackCommand } from '../../src/commands/rollback.ts';
import { quarantineCommand, unquarantineCommand } from '../../src/commands/standing.ts';
import { statusCommand } from '../../src/commands/status.ts';
import type { App } from '../../src/compose.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { placesBelow } from '../../src/domain/places.ts';
import { atDigest, atTag, repositoryOf } from '../../src/domain/reference.ts';
import { moveChannels } from '../../src/flows/channel-moves.ts';
import { childDigests } from '../../src/flows/releases.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { parseManifest } from '../../src/registry/manifest.ts';
import { createAttestor } from '../../src/signer/attestor.ts';
import { createKeySigner, generateKeyPair } from '../../src/signer/key.ts';
import { createTestRepository, type TestRepository } from '../support/git-repository.ts';
import { pushRelease, type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const signal = new AbortController().signal;
const options = { json: false, signal };

let scene: StandingScene;
let person: TestRepository;
let app: App;
let image: string;
let lines: string[];
let digests: Record<string, Digest>;
const output = {
  line: (text: string) => void lines.push(text),
  json: (value: unknown) => void lines.push(JSON.stringify(value)),
  progress: process.stderr,
};
let count = 0;

beforeAll(async () => {
  scene = await startStandingScene();
});
afterAll(() => scene?.stop());

/** Two signed releases, the second in use, and a shop that is pinned to it. */
beforeEach(async () => {
  count += 1;
  lines = [];
  image = `debian-${count}`;
  const { registry, ledger } = scene;
  const repository = scene.repository(image);
  const attestor = createAttestor({ registry, signer: createKeySigner(generateKeyPair().privateKey) });
  digests = {};
  for (const version of ['12.0.0', '12.0.1']) {
    const digest = await pushRelease(registry, repository, version);
    digests[version] = digest;
    const index = parseManifest((await registry.manifest(atDigest(repository, digest)))!.bytes, 'an index');
    for (const each of [digest, ...Object.values(childDigests(index))]) {
      await attestor.sign(atDigest(repository, each!), { createdAt: '2026-11-01T00:00:00Z' });
    }
  }
  const moves = ['stable', '12'].map((channel) => ({ channel, version: '12.0.1', digest: digests['12.0.1']! }));
  const now = () => new Date();
  await moveChannels(repository, { moves, by: 'ingot' }, { registry, ledger, now }, signal);
  person = await createTestRepository({ Dockerfile: `FROM ${repositoryOf(repository)}:12.0.1@${digests['12.0.1']}\n` });
  const parts = {
    ...{ registry, ledger, attestor },
    places: placesBelow({ registry: repository.registry, path: 'golden' }),
    fleet: {
      settings: { channels: [{ name: 'stable' }], freezes: [] },
      images: [{ name: image, line: '12', platforms: [], inputs: [] }],
    },
    config: { person: 'ada' },
    downstreams: { list: async () => [createLocalForge({ now }).repository(person.path)], follows: () => undefined },
  };
  app = parts as unknown as App;
  return () => person.remove();
});

const text = () => lines.join('\n');

test('rollback takes channels and pins back, and tells all of it', async () => {
  const code = await rollbackCommand(app, output, { ...options, image, reason: 'it crashes' });

  expect(code).toBe(0);
  expect(lines).toEqual([
    `${image} is back at 12.0.0: stable, 12 moved`,
    'quarantined: 12.0.1; the same inputs and the same content are not released again',
    `${person.path} #1 opened: Move golden ${image} back to 12.0.0`,
  ]);
  const repository = scene.repository(image);
  expect((await scene.registry.head(atTag(repository, '12')))?.digest).toBe(digests['12.0.0']);
  expect((await scene.registry.head(atTag(repository, '12.0.1')))?.digest).toBe(digests['12.0.1']);
  expect(await person.show(`ingot/image/${image}`, 'Dockerfile')).toContain(`12.0.0@${digests['12.0.0']}`);
  const [downstream] = await app.downstreams.list();
  const [pull] = await downstream!.pulls();
  expect(pull?.body).toContain('12.0.1 is quarantined by ada: it crashes');
});

test('rollback a second time says so, and how to go further', async () => {
  await rollbackCommand(app, output, { ...options, image, reason: 'it crashes' });
  lines = [];

  expect(await rollbackCommand(app, output, { ...options, image, reason: 'again' })).toBe(0);

  expect(lines[0]).toBe(
    `${image} was rolled back to 12.0.0 before, and nothing more was moved; "ingot rollback ${image} --to VERSION --reason …" goes further back`,
  );
});

test('a downstream that cannot be asked is told by the exit code, and changes nothing else', async () => {
  const nowhere = createLocalForge({ now: () => new Date() }).repository('/nowhere');
  const broken = { ...app, downstreams: { ...app.downstreams, list: async () => [nowhere] } };

  expect(await rollbackCommand(broken, output, { ...options, image, reason: 'it crashes' })).toBe(4);
  expect(lines[0]).toBe(`${image} is back at 12.0.0: stable, 12 moved`);
});

test('quarantine says when the release is still in use, and status keeps saying so', async () => {
  await quarantineCommand(app, output, { ...options, image, what: '12.0.1', reason: 'it crashes', by: 'ben' });
  await statusCommand(app, output, options);

  expect(text()).toContain(`it is still in use; "ingot rollback ${image} --reason …" takes the channels back`);
  expect(text()).toContain(`${image}: 12.0.1 is quarantined by ben, and still in use: it crashes`);

  lines = [];
  await unquarantineCommand(app, output, { ...options, image, what: '12.0.1' });
  await statusCommand(app, output, { ...options, json: true });

  expect(lines[0]).toMatch(/^debian-\d+ 12\.0\.1 \([0-9a-f]{12}\) is quarantined no longer/);
  expect(JSON.parse(lines[1]!)).toMatchObject([{ image, version: '12.0.1', quarantined: [] }]);
});

test('an image is paused and resumed', async () => {
  const until = '2999-01-01T00:00:00.000Z';
  await pauseCommand(app, output, { ...options, images: [image], all: false, reason: 'a move', until });
  await statusCommand(app, output, options);
  await resumeCommand(app, output, { ...options, images: [image], all: false });
  await resumeCommand(app, output, { ...options, images: [image], all: false });

  expect(text()).toContain(`${image} is paused until ${until}`);
  expect(text()).toContain(`${image}: paused by ada until ${until}: a move`);
  expect(lines.slice(-2)).toEqual([`${image} goes on`, `${image} was not paused`]);
});

test('the whole fleet is paused apart from its images, and each resume tells of the other', async () => {
  await pauseCommand(app, output, { ...options, images: [], all: true, reason: 'a move' });
  await pauseCommand(app, output, { ...options, images: [image], all: false, reason: 'it is odd' });
  lines = [];

  await resumeCommand(app, output, { ...options, images: [image], all: false });
  expect(lines).toEqual([`${image} goes on`, 'the whole fleet is still paused; "ingot resume --all" ends that']);

  await statusCommand(app, output, { ...options, json: true });
  expect(JSON.parse(lines.at(-1)!)).toMatchObject([{ image, paused: { by: 'ada', why: 'a move' } }]);

  await pauseCommand(app, output, { ...options, images: [image], all: false, reason: 'it is odd' });
  await resumeCommand(app, output, { ...options, images: [], all: true });
  expect(lines.slice(-2)).toEqual(['the whole fleet goes on', `paused on their own still: ${image}`]);
});

test.each([
  [{ images: [], all: false }, 'name an image, or --all'],
  [{ images: ['x'], all: true }, 'name images, or --all, not both'],
  [{ images: ['nothing'], all: false }, 'the fleet has no image nothing'],
])('what is to be paused has to be clear: %j', async (which, message) => {
  const asked = pauseCommand(app, output, { ...options, ...which, reason: 'x' });

  await expect(asked).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining(message) });
});
