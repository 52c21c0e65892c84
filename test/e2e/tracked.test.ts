import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDownstream } from '../../scripts/demo/downstream.ts';
import { explainCommand } from '../../src/commands/explain.ts';
import { planCommand } from '../../src/commands/plan.ts';
import { statusCommand } from '../../src/commands/status.ts';
import { atTag, parseReference } from '../../src/domain/reference.ts';
import { ANNOTATIONS } from '../../src/flows/releases.ts';
import { parseManifest } from '../../src/registry/manifest.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { runFleet, withFleet } from '../support/run-fleet.ts';

const signal = new AbortController().signal;
let scene: FleetScene;
let factory: TestFactory;
beforeAll(async () => {
  scene = await startFleetScene();
  factory = await scene.factory('tracked', { only: 'base' });
  await factory.write({
    'images/base/image.yaml': 'line: "12"\ntrack: { "debian:12-slim": { track: 12.x, suffix: -slim } }\n',
    'images/plain/image.yaml':
      'line: "12"\nfrom: { image: debian, track: 12.x, suffix: -slim }\nupgrade: none\nuser: 10001\n',
  });
  await factory.publish('moving', '12-slim');
  await factory.publish('eight', '12.8-slim');
});
afterAll(() => scene?.stop());

type Command = (app: Parameters<Parameters<typeof withFleet>[1]>[0], output: Output) => Promise<number>;
interface Output {
  line(text: string): void;
  json(value: unknown): void;
  readonly progress: NodeJS.WriteStream;
}

async function printed(command: Command): Promise<string> {
  const lines: string[] = [];
  const output = { line: (text: string) => void lines.push(text), json: () => {}, progress: process.stderr };
  await withFleet(factory.root, (app) => command(app, output));
  return lines.join('\n');
}

const annotationsOf = async (image: string, tag: string) => {
  const stored = await scene.registry.manifest(atTag(factory.repository(image), tag));
  return parseManifest(stored!.bytes, 'an index').annotations!;
};

test('the digest that a Dockerfile is rendered with is that of the highest tag', async () => {
  const head = await scene.registry.head(parseReference(`${factory.base}/upstream/debian:12.8-slim`));

  const digests = await withFleet(factory.root, (app) =>
    Promise.all(app.fleet.images.map(({ inputs }) => app.resolveInput(inputs[0]!))),
  );

  expect(digests).toEqual([head?.digest, head?.digest]);
});

test('releases are built from the highest tag, and say so', async () => {
  const { runs } = await runFleet(factory.root);

  expect(runs.map(({ image, outcome }) => [image, outcome]).sort()).toEqual([
    ['base', 'released'],
    ['plain', 'released'],
  ]);
  for (const image of ['base', 'plain'])
    expect(await annotationsOf(image, '12.0.0')).toMatchObject({
      [ANNOTATIONS.baseName]: 'docker.io/library/debian:12.8-slim',
    });
});

test('a new tag for the same content, and a new major, release nothing', async () => {
  await factory.publish('eight', '12.9-slim');
  await factory.publish('thirteen', '13.0-slim');

  const { runs, plan } = await runFleet(factory.root);

  expect([runs, plan.map(({ state }) => state)]).toEqual([[], ['fresh', 'fresh']]);
  const note = 'debian 13.0-slim is out, track says 12.x';
  const common = { json: false, signal };
  const plans = { ...common, all: false, images: [], whatIf: [], dot: false };
  expect(await printed((app, output) => planCommand(app, output, plans))).toContain(`note: ${note} (base, plain)`);
  expect(await printed((app, output) => explainCommand('plain', app, output, common))).toContain(note);
  expect(await printed((app, output) => statusCommand(app, output, common))).toContain(note);
});

test('a new tag is released, with both tags in its reason and in the pull request', async () => {
  const before = await scene.registry.head(atTag(factory.repository('base'), '12.0.0'));
  await makeDownstream(factory.downstream, { Dockerfile: `FROM ${factory.base}/base:12.0.0@${before!.digest}\n` });
  await factory.publish('ten', '12.10-slim');

  const { runs, proposals } = await runFleet(factory.root);

  expect(runs.map(({ image, outcome, version }) => [image, outcome, version]).sort()).toEqual([
    ['base', 'released', '12.0.1'],
    ['plain', 'released', '12.0.1'],
  ]);
  const annotations = await annotationsOf('base', '12.0.1');
  expect(annotations[ANNOTATIONS.baseName]).toBe('docker.io/library/debian:12.10-slim');
  // 12.9 came and released nothing: what is in use was made from 12.8
  expect(annotations[ANNOTATIONS.reason]).toContain('its base debian 12.8-slim → 12.10-slim, at');
  expect(proposals.flatMap(({ results }) => results.map(({ action }) => action))).toContain('opened');
  const [pull] = await withFleet(factory.root, async (app) => {
    const [downstream] = await app.downstreams.list();
    return downstream!.pulls({ state: 'open' });
  });
  expect(pull?.body).toContain('Its base debian 12.8-slim → 12.10-slim, at');
});

test('what if a tag came can be asked', async () => {
  const options = { json: false, all: false, images: [], whatIf: ['debian:12.11-slim'], dot: false, signal };

  const text = await printed((app, output) => planCommand(app, output, options));

  expect(text).toMatch(/^if debian:\{12\.x\}-slim moved from \w{12} to 12\.11-slim:/);
  expect(text).toContain('because its base debian would move to 12.11-slim');
});

test('a tag that upstream takes away is held, and nothing goes back', async () => {
  const { digest } = (await scene.registry.head(parseReference(`${factory.base}/upstream/debian:12.10-slim`)))!;
  const upstream = parseReference(`${factory.base}/upstream/debian`);
  await scene.registry.remove({ ...upstream, digest });

  const { runs, plan } = await runFleet(factory.root);

  expect(runs).toEqual([]);
  expect(plan.map(({ state }) => state)).toEqual(['held', 'held']);
  const options = { json: false, all: false, images: [], whatIf: [], dot: false, signal };
  expect(await printed((app, output) => planCommand(app, output, options))).toContain(
    'debian:{12.x}-slim ended with 12.10-slim and now ends with 12.9-slim',
  );
});
