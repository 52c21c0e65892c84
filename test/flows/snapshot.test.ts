import { expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import { type Inputs, RECIPE_VERSION } from '../../src/domain/inputs.ts';
import type { PackageState } from '../../src/domain/packages/state.ts';
import { placesBelow } from '../../src/domain/places.ts';
import { mirroredSources, openSnapshot, type SnapshotDeps, withSnapshot } from '../../src/flows/snapshot.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { fleetFiles } from '../support/fleet-files.ts';

const LISTS = digestOf('lists');

/** A child of a golden base, which is asked for no copy of anything. */
function setUp(definition: string, manager: PackageState['manager']) {
  const fleet = parseFleet(
    fleetFiles({
      'images/base/image.yaml': 'line: "1"\n',
      'images/base/Dockerfile': 'FROM mirror.example.org/os:1\nUSER 1\n',
      'images/app/image.yaml': `line: "1"\nfrom: { golden: base }\nuser: 1\n${definition}`,
    }),
  );
  const image = fleet.images.find(({ name }) => name === 'app')!;
  const digest = digestOf('base');
  const platforms = { 'linux/amd64': digest };
  const inputs: Inputs = {
    ...{ image: 'app', recipe: RECIPE_VERSION, platforms: ['linux/amd64'], definition: image.definition },
    inputs: [{ role: 'base', name: 'golden/base', digest, platforms }],
  };
  const state: PackageState = { manager, os: { id: 'any' }, architecture: 'x86_64', installed: [], files: {}, digest };
  const taken: (readonly PackageState[])[] = [];
  const deps: SnapshotDeps = {
    registry: {} as Registry,
    mirrors: {},
    places: placesBelow({ registry: 'registry.example.org', path: 'acme' }),
    sourceOf: (upstream) => upstream,
    stateOf: async () => state,
    lists: {
      take: async (states) => {
        taken.push(states);
        return LISTS;
      },
      find: async () => '/lists',
    },
  };
  return { image, inputs, deps, taken };
}

test.each([
  ['apt', 'apt'],
  ['apk', 'apk'],
] as const)('an image with %s is built from one state of its archives', async (manager, found) => {
  const { image, inputs, deps } = setUp(`manager: ${manager}\n`, found);

  expect((await withSnapshot(image, inputs, deps, {})).snapshot).toBe(LISTS);
  expect(await openSnapshot(image, inputs, deps, {})).toBe('/lists');
});

test.each(['manager: dnf\n', 'manager: microdnf\n', 'upgrade: none\n', 'manager: none\n'])(
  'an image with %j takes no lists',
  async (definition) => {
    const { image, inputs, deps, taken } = setUp(definition, 'rpm');

    expect(await withSnapshot(image, inputs, deps, {})).toBe(inputs);
    expect([await openSnapshot(image, inputs, deps, {}), taken]).toEqual([undefined, []]);
  },
);

test('a base with another manager than its name tells is named in the run, with what to write', async () => {
  const { image, inputs, deps } = setUp('', 'rpm');

  expect(await withSnapshot(image, inputs, deps, {})).toBe(inputs);
  await expect(openSnapshot(image, inputs, deps, {})).rejects.toThrow(
    'the base of app has rpm for packages, not apt; write "manager: dnf" in images/app/image.yaml',
  );
});

test('files of the base that name an archive with a mirror are read only when there are mirrors', async () => {
  const { image, inputs, deps } = setUp('install: [tool]\n', 'apt');
  const files = { '/etc/apt/sources.list': Buffer.from('deb http://deb.example.org/debian stable main\n') };
  let read = 0;
  const stateOf: SnapshotDeps['stateOf'] = async () => {
    read += 1;
    return { ...(await deps.stateOf(deps.places.release('base'), {})), files };
  };
  const mirrors = { 'deb.example.org': { url: 'http://mirror.example.org/' } };
  const ask = (more: Partial<SnapshotDeps>) =>
    mirroredSources(image, inputs, 'linux/amd64', { ...deps, stateOf, ...more }, {});

  expect([await ask({}), read]).toEqual([{}, 0]);
  expect(await ask({ mirrors })).toEqual({
    '/etc/apt/sources.list': 'deb http://mirror.example.org/debian stable main\n',
  });
});
